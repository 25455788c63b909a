"""Which parts of a policy set the tests bring about, and with which outcomes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from policy_engine.compiler import (
    TEXT_OF,
    Compiled,
    CompiledLimit,
    CompiledRule,
    Constraint,
    Status,
)
from policy_engine.compiler.meaning.places import rules_of
from policy_engine.compiler.message import escaped
from policy_engine.compiler.rule import CANNOT_TELL, Whole
from policy_engine.decision import Decision, Facts, Request, Reservation, Stage
from policy_engine.policy import LoadedPolicy, Rule
from policy_engine.source import Path
from policy_engine.testing.coverage.arguments import Keyword, keywords, outcomes
from policy_engine.testing.coverage.branches import branches
from policy_engine.testing.coverage.item import Item, Kind, Outcome
from policy_engine.testing.coverage.patterns import singles
from policy_engine.testing.coverage.probes import key_can_lack, odd_requests
from policy_engine.testing.reach import Met, Reach
from policy_engine.text import Patterns, Scanner

__all__ = ["Coverage", "Covered"]

_Ask: TypeAlias = Callable[[Request, Facts], Outcome]
_MATCH = frozenset({Outcome.MATCH})
_TOLD = frozenset({Outcome.MATCH, Outcome.NO_MATCH})
_ALL = frozenset(Outcome)


@dataclass(frozen=True, slots=True)
class Covered:
    """An item and what came about of it."""

    item: Item
    seen: frozenset[Outcome]

    @property
    def missing(self) -> tuple[Outcome, ...]:
        """The outcomes that no test brings about."""
        return tuple(sorted(self.item.wanted - self.seen))


@dataclass(slots=True)
class _Asked:
    """What is asked of a request that meets a rule."""

    items: list[tuple[Item, _Ask]] = field(default_factory=list)


class Coverage:
    """Watches the decisions of tests.

    Args:
        compiled: The policy set that decides.
    """

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._reach = Reach(compiled)
        self._seen: dict[Item, set[Outcome]] = {}
        self._known: dict[tuple[Kind, str, str], Item] = {}
        self._patterns = Patterns()
        self._rules: dict[int, _Asked] = {}
        self._limits: dict[str, Item] = {}
        self._arguments: dict[str, list[Keyword]] = {}
        self._named: dict[str, Item] = {}
        self._applies: list[Item | None] = []
        for parts in compiled.parts:
            self._add_policy(parts.loaded)
            self._add_entries(parts.loaded)
            for constraint in parts.constraints.values():
                self._add_constraint(constraint)
            declared = {
                f"{parts.loaded.policy.policy}/{placed.rule.id}": (placed.rule, placed.path)
                for placed in rules_of(parts.loaded.policy)
            }
            stages: list[tuple[Stage, list[CompiledRule]]] = [
                (stage, rules)  # type: ignore[misc]
                for stage, rules in parts.text_rules.items()
            ]
            for (section, _), rules in parts.entry_rules.items():
                stages.append((_STAGE[section], rules))
            stages.append(("tool_call", parts.top_rules))
            for stage, rules in stages:
                for rule in rules:
                    written, path = declared[rule.name]
                    at: Stage = "handoff" if getattr(written, "stage", "") == "handoff" else stage
                    self._add_rule(rule, written, path, parts.loaded, at)
            for limit in parts.limits:
                self._add_limit(limit)
        self._scanner: Scanner = self._patterns.compile(warm=False)

    def watch(self, decision: Decision, facts: Facts) -> None:
        """Note what a decision brought about."""
        request = decision.asked
        met = self._reach.of(request)
        for item, status in zip(self._applies, met.statuses, strict=True):
            if item is not None:
                self._seen[item].add(_APPLIES[status])
        for name in (*met.entries, *met.unnamed):
            item = self._named.get(name)
            if item is not None:
                self._seen[item].add(Outcome.MATCH)
        for rule in met.chain.rules:
            for asked, ask in self._rules[id(rule)].items:
                self._seen[asked].add(ask(request, facts))
            if rule.constraint is not None:
                self._watch_arguments(rule.constraint, request)
        for constraint in met.chain.constraints:
            self._watch_arguments(constraint, request)
        self._watch_limits(met, request, facts)

    def items(self) -> Iterator[Covered]:
        """Go through all that can be covered, in the order of files and lines."""
        for item in sorted(self._seen, key=lambda item: (item.location, item.rule, item.what)):
            yield Covered(item, frozenset(self._seen[item]) & item.wanted)

    def _watch_arguments(self, constraint: Constraint, request: Request) -> None:
        if isinstance(request.args, dict):
            known = self._arguments[constraint.rule]
            for item, outcome in outcomes(known, constraint, request.args):
                self._seen[item].add(outcome)

    def _watch_limits(self, met: Met, request: Request, facts: Facts) -> None:
        for limit in met.chain.limits:
            found = limit.judge(request, facts)
            if isinstance(found, Reservation):
                outcome = Outcome.NO_MATCH
            else:
                exceeded = found.code == "limit.exceeded"
                outcome = Outcome.MATCH if exceeded else Outcome.CANNOT_TELL
            self._seen[self._limits[limit.name]].add(outcome)

    def _add_policy(self, loaded: LoadedPolicy) -> None:
        policy, document = loaded.policy, loaded.document
        item = None
        if policy.applies_to is not None:
            place = document.key_at(("applies_to",))
            item = Item("policy", policy.policy, "applies_to", place, _ALL)
            self._seen[item] = set()
        self._applies.append(item)
        if any(getattr(policy, section) for section in ("tools", "handoffs", "models")):
            name = f"{policy.policy}/default"
            place = document.at(("default",))
            self._name(name, Item("default", name, "", place, _MATCH))

    def _add_entries(self, loaded: LoadedPolicy) -> None:
        policy = loaded.policy
        for section in ("tools", "handoffs", "models"):
            for key in getattr(policy, section) or {}:
                name = f"{policy.policy}/{section}/{escaped(key)}"
                place = loaded.document.key_at((section, key))
                self._name(name, Item("entry", name, "", place, _MATCH))

    def _name(self, name: str, item: Item) -> None:
        self._named[name] = item
        self._seen.setdefault(item, set())

    def _add_constraint(self, constraint: Constraint) -> None:
        self._arguments[constraint.rule] = list(keywords(constraint))
        for one in self._arguments[constraint.rule]:
            self._seen.setdefault(one.item, set())

    def _add_limit(self, limit: CompiledLimit) -> None:
        wanted = _ALL if key_can_lack(limit) else _TOLD
        item = Item("limit", limit.name, "", limit.location, wanted)
        self._limits[limit.name] = item
        self._seen.setdefault(item, set())

    def _add_rule(
        self, rule: CompiledRule, declared: Rule, path: Path, loaded: LoadedPolicy, stage: Stage
    ) -> None:
        asked = self._rules.setdefault(id(rule), _Asked())

        def whole(request: Request, scanner: Scanner) -> Whole:
            value = getattr(request, TEXT_OF.get(request.stage, "text"))
            return Whole(value, scanner, parts=request.stage != "tool_call")

        def judged(request: Request, facts: Facts) -> Outcome:
            return _outcome(rule.judge(request, facts, whole(request, self._compiled.scanner)))

        reads = frozenset() if rule.condition is None else rule.condition.reads
        odd = list(odd_requests(stage, reads))

        def add(kind: Kind, what: str, place: Path, ask: _Ask) -> None:
            always = rule.condition is None and rule.check is None and rule.constraint is None
            wanted = _MATCH if always else _TOLD
            if kind != "pattern" and any(ask(*one) is Outcome.CANNOT_TELL for one in odd):
                wanted |= {Outcome.CANNOT_TELL}
            at = rule.location if kind == "rule" else loaded.document.at(place)
            # A rule over input is compiled for two stages and is one rule.
            item = self._known.setdefault(
                (kind, rule.name, what), Item(kind, rule.name, what, at, wanted)
            )
            self._seen.setdefault(item, set())
            asked.items.append((item, ask))

        add("rule", "", path, judged)
        for branch in branches(rule):
            add("branch", branch.text, (*path, "when"), branch.outcome)
        for single in singles(rule, declared, self._patterns):

            def alone(request: Request, facts: Facts, one: CompiledRule = single.rule) -> Outcome:
                return _outcome(one.judge(request, facts, whole(request, self._scanner)))

            place = (*path, "check", single.kind, "any", single.position)
            add("pattern", single.text, place, alone)
        if rule.constraint is not None:
            self._add_constraint(rule.constraint)


_STAGE: dict[str, Stage] = {"tools": "tool_call", "result": "tool_result", "handoffs": "handoff"}
_APPLIES = {
    Status.YES: Outcome.MATCH,
    Status.NO: Outcome.NO_MATCH,
    Status.UNSURE: Outcome.CANNOT_TELL,
}


def _outcome(code: str | None) -> Outcome:
    if code is None:
        return Outcome.NO_MATCH
    return Outcome.CANNOT_TELL if code == CANNOT_TELL else Outcome.MATCH
