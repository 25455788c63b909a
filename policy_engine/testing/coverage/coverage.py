"""Which parts of a policy set the tests bring about, and with which outcomes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from policy_engine.compiler import Compiled, CompiledLimit, CompiledRule, Constraint, Status
from policy_engine.compiler.meaning.places import rules_of
from policy_engine.compiler.message import escaped
from policy_engine.decision import Decision, Facts, Request
from policy_engine.engine import Engine
from policy_engine.policy import LoadedPolicy, Rule
from policy_engine.source import Path
from policy_engine.testing.coverage.arguments import Arguments
from policy_engine.testing.coverage.item import EVERY, TOLD, Item, Note, Outcome
from policy_engine.testing.coverage.odd import key_can_lack
from policy_engine.testing.coverage.people import people
from policy_engine.testing.coverage.rules import RuleAsks
from policy_engine.testing.coverage.search import Found, Searcher, limit_outcome
from policy_engine.testing.coverage.seeds import Seeds
from policy_engine.testing.coverage.way import Known, Way
from policy_engine.testing.reach import Met, Reach
from policy_engine.testing.search.shown import Standing, shown, shown_after
from policy_engine.text import Patterns

__all__ = ["Coverage", "Covered", "Idea"]

_MATCH = frozenset({Outcome.MATCH})
_SECTIONS = ("tools", "handoffs", "models")


@dataclass(frozen=True, slots=True)
class Idea:
    """A request that brings an outcome about, as JSON values."""

    request: dict[str, Any]
    beside: tuple[str, ...]
    """What is known of the session and the counters, as clauses."""
    standing: Standing
    """The same as values."""


@dataclass(frozen=True, slots=True)
class Covered:
    """An item and what came about of it."""

    item: Item
    seen: frozenset[Outcome]
    wanted: frozenset[Outcome]
    """The outcomes that count.

    Those that a test brought about or a request was found for; and match and no match in any
    case, for nobody knows that what was not found cannot happen.
    """
    ideas: Mapping[Outcome, Idea] = field(default_factory=dict)
    """A request for each that no test brings about, where one was found."""

    @property
    def missing(self) -> tuple[Outcome, ...]:
        """The outcomes that no test brings about."""
        return tuple(sorted(self.wanted - self.seen))

    @property
    def doubtful(self) -> tuple[Outcome, ...]:
        """Those of the missing outcomes that no request was found for."""
        return tuple(outcome for outcome in self.missing if outcome not in self.ideas)


class Coverage:
    """Watches the decisions of tests.

    Args:
        compiled: The policy set that decides.
    """

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._reach = Reach(compiled)
        self._seeds = Seeds(compiled, self._reach)
        self._seen: dict[Item, set[Outcome]] = {}
        self._patterns = Patterns()
        self._rules: dict[int, RuleAsks] = {}
        self._limits: dict[str, tuple[CompiledLimit, Item]] = {}
        self._countable: set[str] = set()
        self._arguments: dict[str, tuple[Constraint, Arguments]] = {}
        self._named: dict[str, Item] = {}
        self._applies: list[Item | None] = []
        for parts in compiled.parts:
            self._add_policy(parts.loaded)
            self._add_entries(parts.loaded)
            for constraint in parts.constraints.values():
                self._add_constraint(constraint)
            policy = parts.loaded.policy
            declared = {
                f"{policy.policy}/{placed.rule.id}": (placed.rule, placed.path)
                for placed in rules_of(policy)
            }
            for rule in parts.rules():
                self._add_rule(rule, *declared[rule.name], parts.loaded)
            for limit in parts.limits:
                possible = EVERY if key_can_lack(limit) else TOLD
                item = Item("limit", limit.name, "", limit.location, possible)
                self._limits[limit.name] = (limit, item)
                self._add(item)

    def watch(self, decision: Decision, facts: Facts) -> None:
        """Note what a decision brought about."""
        request = decision.asked
        met = self._reach.of(request)
        self._seeds.keep(met, request, facts)
        self._ask_policies(request, facts, self._note)
        for name in (*met.entries, *met.unnamed):
            item = self._named.get(name)
            if item is not None:
                self._note(item, Outcome.MATCH)
        for rule in met.chain.rules:
            self._rules[id(rule)].ask(request, facts, self._note)
            if rule.constraint is not None:
                self._ask_arguments(rule.constraint, request)
        for constraint in met.chain.constraints:
            self._ask_arguments(constraint, request)
        self._ask_limits(met, request, facts)
        if decision.permitted:
            self._countable.update(limit.name for limit in met.chain.limits)

    def items(self) -> Iterator[Covered]:
        """Go through all that can be covered, in the order of files and lines."""
        found = self._search()
        known = Known(self._seeds.plain, Engine(self._compiled))
        for item in sorted(self._seen, key=lambda item: (item.location, item.rule, item.what)):
            seen = frozenset(self._seen[item])
            ways = found.get(item, {})
            wanted = seen | ways.keys() | (item.possible & TOLD)
            ideas = {outcome: _idea(way, item, outcome, known) for outcome, way in ways.items()}
            yield Covered(item, seen, wanted, ideas)

    def seen(self) -> Iterator[Covered]:
        """Go through what came about, without looking for what could have."""
        for item, outcomes in self._seen.items():
            seen = frozenset(outcomes)
            yield Covered(item, seen, seen)

    def _search(self) -> Found:
        """Look for requests that bring about what no test did."""
        searcher = Searcher(self._compiled, self._reach, self._seeds, self._seen)
        for item in self._applies:
            if item is not None:
                searcher.policy(item, people(self._compiled), self._ask_policies)
        for item in self._named.values():
            if not self._seen[item]:
                searcher.named(item)
        for constraint, arguments in self._arguments.values():
            searcher.arguments(constraint, arguments)
        for asks in self._rules.values():
            searcher.rule(asks)
        for limit, item in self._limits.values():
            searcher.limit(limit, item, countable=limit.name in self._countable)
        return searcher.found

    def _note(self, item: Item, outcome: Outcome) -> None:
        self._seen[item].add(outcome)

    def _add(self, item: Item) -> Item:
        self._seen.setdefault(item, set())
        return item

    def _ask_policies(self, request: Request, _: Facts, note: Note) -> None:
        for item, status in zip(self._applies, self._reach.of(request).statuses, strict=True):
            if item is not None:
                note(item, _APPLIES[status])

    def _ask_arguments(self, constraint: Constraint, request: Request) -> None:
        if isinstance(request.args, dict):
            self._arguments[constraint.rule][1].ask(request.args, self._note)

    def _ask_limits(self, met: Met, request: Request, facts: Facts) -> None:
        for limit in met.chain.limits:
            outcome = limit_outcome(limit, request, facts)
            self._note(self._limits[limit.name][1], outcome)

    def _add_policy(self, loaded: LoadedPolicy) -> None:
        policy, document = loaded.policy, loaded.document
        item = None
        if policy.applies_to is not None:
            place = document.key_at(("applies_to",))
            applies = policy.applies_to
            is_for_all = applies.roles is None and _names_all(applies.agents, applies.tenants)
            possible = EVERY - {Outcome.NO_MATCH} if is_for_all else EVERY
            item = self._add(Item("policy", policy.policy, "applies_to", place, possible))
        self._applies.append(item)
        sections = [found for name in _SECTIONS if (found := getattr(policy, name))]
        if sections:
            name = f"{policy.policy}/default"
            place = document.at(("default",))
            possible = frozenset() if _names_all(*sections) else _MATCH
            self._named[name] = self._add(Item("default", name, "", place, possible))

    def _add_entries(self, loaded: LoadedPolicy) -> None:
        policy = loaded.policy
        for section in _SECTIONS:
            for key in getattr(policy, section) or {}:
                name = f"{policy.policy}/{section}/{escaped(key)}"
                place = loaded.document.key_at((section, key))
                self._named[name] = self._add(Item("entry", name, "", place, _MATCH))

    def _add_constraint(self, constraint: Constraint) -> None:
        arguments = Arguments(constraint, self._patterns)
        self._arguments[constraint.rule] = (constraint, arguments)
        for items in arguments.items().values():
            for item in items:
                self._add(item)
        if arguments.other is not None:
            self._add(arguments.other)

    def _add_rule(
        self, rule: CompiledRule, declared: Rule, path: Path, loaded: LoadedPolicy
    ) -> None:
        scanner = self._compiled.scanner
        asks = RuleAsks(rule, declared, path, loaded, scanner, self._patterns)
        self._rules[id(rule)] = asks
        for item in asks.items:
            # A rule over input is compiled for two stages and is one rule.
            self._add(item)
        if rule.constraint is not None:
            self._add_constraint(rule.constraint)


def _idea(way: Way, item: Item, outcome: Outcome, known: Known) -> Idea:
    if way.steps:
        *steps, last = way.steps
        found = shown_after(last, steps, "", "")
        return Idea(found.request, found.beside, found.standing)
    sample = way.shortest(item, outcome, known)
    found = shown(sample, "", "")
    request = {**found.request, **way.lacking(sample, item, outcome, known)}
    return Idea(request, found.beside, found.standing)


def _names_all(*names: Collection[str] | None) -> bool:
    """Tell whether a star is among each of some names, of those that are given."""
    return all(some is None or "*" in some for some in names)


_APPLIES = {
    Status.YES: Outcome.MATCH,
    Status.NO: Outcome.NO_MATCH,
    Status.UNSURE: Outcome.CANNOT_TELL,
}
