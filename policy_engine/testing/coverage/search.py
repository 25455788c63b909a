"""Which outcomes a part of a policy can have: a request is looked for that brings each about."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any, Final, TypeAlias

from policy_engine.cel import Condition
from policy_engine.cel.nodes import Conditional, Node, children
from policy_engine.compiler import Chain, Compiled, CompiledLimit, CompiledRule, Constraint
from policy_engine.decision import Calls, Count, Decision, Facts, Request, Reservation
from policy_engine.engine import Engine
from policy_engine.testing.coverage.arguments import Arguments
from policy_engine.testing.coverage.corpus import Corpus
from policy_engine.testing.coverage.hints import fitting_parts, hinted, with_more_keys
from policy_engine.testing.coverage.item import Item, Note, Outcome
from policy_engine.testing.coverage.odd import joined, odd
from policy_engine.testing.coverage.rules import RuleAsks
from policy_engine.testing.coverage.seeds import Seeds, keys_of
from policy_engine.testing.coverage.way import Ask, Way
from policy_engine.testing.coverage.wild import drawn
from policy_engine.testing.reach import Reach
from policy_engine.testing.search.clearing import Clearing
from policy_engine.testing.search.declared import Declared
from policy_engine.testing.search.evaluated import Evaluated
from policy_engine.testing.search.every import every_outcome
from policy_engine.testing.search.filling import NOON, Filling, at_time
from policy_engine.testing.search.sample import ABSENT, Reads, Sample, told, with_argument
from policy_engine.testing.search.samples import around
from policy_engine.testing.search.turning import Turning
from policy_engine.testing.search.values import plain, values_of

__all__ = ["Found", "Searcher", "limit_outcome"]

Found: TypeAlias = dict[Item, dict[Outcome, Way]]
"""Item -> outcome -> how it is brought about."""

_MOST: Final = 2_000
"""So many requests are tried for a match, or for none, around each one to begin with."""
_DRAWN: Final = 3_000
"""And so many are drawn by lot."""
_FEW: Final = 100
_FEW_DRAWN: Final = 300
"""Likewise where only what cannot be told is looked for, and no `? :` hides it."""
_UNTOLD: Final = frozenset({Outcome.CANNOT_TELL})
_TURNED: Final = 2_000
"""So many requests are made for a condition and its parts."""
_VALUES: Final = 3_000
"""So many values are tried for an argument."""
_BEGUN: Final = 30
"""Around so many values of an argument others are tried."""
_OPENED: Final = 300
"""So many requests are tried to find one that is not denied."""


@dataclass(slots=True)
class _Wanted:
    """Outcomes that are looked for."""

    lacking: dict[Item, set[Outcome]]
    found: Found
    ask: Ask
    sample: Sample | None = None
    admits: Callable[[Sample], bool] | None = None
    """Whether a request meets what is asked; None where it does in any case."""
    parts: Mapping[Item, Ask] = field(default_factory=dict)
    """What asks of a single item, where that is less than all."""

    def note(self, item: Item, outcome: Outcome) -> None:
        """Keep the request that brings an outcome about, if it is looked for."""
        lacking = self.lacking.get(item)
        if lacking is None or outcome not in lacking or self.sample is None:
            return
        if self.admits is not None and not self.admits(self.sample):
            return
        self.drop(item, outcome)
        ask = self.parts.get(item, self.ask)
        self.found.setdefault(item, {})[outcome] = Way(self.sample, ask, self.admits)

    def drop(self, item: Item, outcome: Outcome) -> None:
        """Look for an outcome no longer."""
        self.lacking[item].discard(outcome)
        if not self.lacking[item]:
            del self.lacking[item]

    def wants_told(self) -> bool:
        """Whether more is looked for than what cannot be told."""
        return any(not some <= _UNTOLD for some in self.lacking.values())


class Searcher:
    """Looks for requests that bring about what no test did.

    Args:
        compiled: The policy set.
        reach: Finds what requests meet.
        seeds: Requests to begin with.
        seen: What tests brought about.
    """

    def __init__(
        self,
        compiled: Compiled,
        reach: Reach,
        seeds: Seeds,
        seen: Mapping[Item, set[Outcome]],
    ) -> None:
        self._compiled = compiled
        self._reach = reach
        self._seeds = seeds
        self._seen = seen
        self._engine = Engine(compiled)
        self._evaluated = Evaluated()
        self._declared: dict[int, tuple[Chain, Declared]] = {}
        self._filling = Filling(compiled, self._engine)
        self.found: Found = {}

    def rule(self, asks: RuleAsks) -> None:
        """Look for what a rule can say."""
        wanted = self._wanted(asks.items, asks.ask)
        if not wanted.lacking:
            return
        wanted.admits = self._meeting(id(asks.rule))
        wanted.parts = _parts(asks)
        corpus = Corpus(wanted.lacking)
        ask = _asking(asks, wanted, corpus)
        seeds = self._seeds.of(id(asks.rule))
        near = chain.from_iterable(odd(asks.rule, asks.check, seed) for seed in seeds)
        self._try(near, ask, wanted)
        condition = asks.rule.condition
        if condition is not None:
            for seed in seeds:
                self._try(self._turned(condition.tree, seed), ask, wanted)
            self._draw(asks.rule, condition, ask, wanted, corpus)
        reads = _reads(asks)
        for seed in seeds:
            if not wanted.lacking:
                return
            most = _MOST if wanted.wants_told() else _FEW
            met = self._reach.of(seed.request).chain
            self._try(islice(around(seed, met, self._compiled, reads), most), ask, wanted)

    def _turned(self, tree: Node, seed: Sample) -> Iterator[Sample]:
        """Yield requests that are made for each outcome of a condition and of its parts."""
        _, declared = self._met(seed)
        return every_outcome(tree, Turning(declared, self._evaluated, most=_TURNED), seed)

    def _met(self, seed: Sample) -> tuple[Chain, Declared]:
        """Return what a request meets, and what is declared there."""
        met = self._reach.of(seed.request).chain
        known = self._declared.get(id(met))
        if known is None:
            known = self._declared[id(met)] = met, Declared(met, self._compiled)
        return known

    def _draw(
        self,
        rule: CompiledRule,
        condition: Condition,
        ask: Ask,
        wanted: _Wanted,
        corpus: Corpus,
    ) -> None:
        """Look among requests that are drawn by lot."""
        for seed in self._seeds.few(id(rule)):
            met = self._reach.of(seed.request).chain
            is_deep = wanted.wants_told() or any(map(_chooses, _nodes(condition.tree)))
            lots = drawn(condition, met, self._compiled, seed, corpus)
            self._try(islice(lots, _DRAWN if is_deep else _FEW_DRAWN), ask, wanted)
            if wanted.wants_told():
                self._try(joined(condition, seed), ask, wanted)

    def arguments(self, constraint: Constraint, arguments: Arguments) -> None:
        """Look for what a constraint can say."""
        seeds = self._seeds.of(("args", constraint.rule))
        if not seeds:
            return
        seed = seeds[0]

        def ask(request: Request, _facts: Facts, note: Note) -> None:
            arguments.ask(request.args or {}, note)

        for argument, items in arguments.items().items():
            wanted = self._wanted(items, _of_argument(arguments, argument))
            wanted.admits = self._meeting(("args", constraint.rule))
            schema = constraint.schemas[argument]
            for value in chain(_values(schema), self._near(schema, argument, items, wanted)):
                if not wanted.lacking:
                    break
                sample = wanted.sample = with_argument(seed, argument, value)
                arguments.ask_one(argument, sample.request.args or {}, wanted.note)
        if arguments.other is not None:
            wanted = self._wanted([arguments.other], ask)
            wanted.admits = self._meeting(("args", constraint.rule))
            self._try((seed, with_argument(seed, "another", 1)), ask, wanted)

    def _near(
        self, schema: Any, argument: str, items: Iterable[Item], wanted: _Wanted
    ) -> Iterator[Any]:
        """Yield values around those that brought something about: two things are different."""
        if not wanted.wants_told():
            return
        ways = [way for item in items for way in self.found.get(item, {}).values()]
        values = [(way.sample.request.args or {}).get(argument) for way in ways]
        known = {repr(value): value for value in values if isinstance(value, dict | list)}
        for value in fitting_parts(schema):
            yield value
            yield from with_more_keys(value)
        listing = hinted(schema)
        for value in islice(known.values(), _BEGUN):
            yield from with_more_keys(value)
        for value in islice(known.values(), _BEGUN):
            yield from islice(values_of(listing, value), _MOST)

    def limit(self, limit: CompiledLimit, item: Item, *, countable: bool) -> None:
        """Look for what a limit can say."""

        def ask(request: Request, facts: Facts, note: Note) -> None:
            filled = self._filled(Sample(request, facts)).facts.counters
            known = replace(facts, counters={**filled, **facts.counters})
            note(item, limit_outcome(limit, request, known))

        wanted = self._wanted([item], ask)
        wanted.admits = self._meeting(("limit", limit.name))
        for seed in self._seeds.of(("limit", limit.name)):
            if not wanted.lacking:
                return
            wanted.sample = self._filled(seed)
            ask(seed.request, wanted.sample.facts, _only(Outcome.NO_MATCH, wanted.note))
            lacking = wanted.lacking.get(item, ())
            if Outcome.MATCH in lacking and self._use_up(limit, item, seed):
                wanted.drop(item, Outcome.MATCH)
                lacking = wanted.lacking.get(item, ())
            if Outcome.MATCH in lacking and (countable or self._passes(seed)):
                sample = wanted.sample = self._filled(seed, limit.name, limit.max)
                full = _only(Outcome.MATCH, wanted.note)
                full(item, limit_outcome(limit, sample.request, sample.facts))
            if Outcome.CANNOT_TELL in lacking:
                args: dict[str, Any] | None = None if seed.request.args is None else {}
                request = replace(seed.request, session=None, principal=None, agent=None, args=args)
                lost = self._filled(Sample(request, replace(seed.facts, session=None)))
                wanted.sample = lost
                ask(lost.request, lost.facts, _only(Outcome.CANNOT_TELL, wanted.note))

    def _use_up(self, limit: CompiledLimit, item: Item, seed: Sample) -> bool:
        """Look for calls that use a limit up, and one that is too many."""
        filled = self._filling.filled(limit, seed, seed.facts.now or NOON)
        if filled is None:
            return False
        last = self._filling.asking(at_time(filled.last, filled.time))
        way = Way(filled.last, _silent, None, (*filled.steps, last))
        self.found.setdefault(item, {})[Outcome.MATCH] = way
        return True

    def named(self, item: Item) -> None:
        """Look for a name that no entry lists, so that the default speaks."""
        for seed in self._seeds.of(item.rule)[:1]:
            way = Way(seed, lambda _, __, note: note(item, Outcome.MATCH), self._meeting(item.rule))
            self.found.setdefault(item, {})[Outcome.MATCH] = way

    def policy(self, item: Item, samples: Iterable[Sample], ask: Ask) -> None:
        """Look for whom a policy is for, and for whom it is not."""
        self._try(samples, ask, self._wanted([item], ask))

    def _wanted(self, items: Iterable[Item], ask: Ask) -> _Wanted:
        lacking = {
            item: set(rest)
            for item in items
            if (rest := item.possible - self._seen[item] - self.found.get(item, {}).keys())
        }
        return _Wanted(lacking, self.found, ask)

    def _try(self, samples: Iterable[Sample], ask: Ask, wanted: _Wanted) -> None:
        if not wanted.lacking:
            return
        for sample in samples:
            given = self._callable(told(sample))
            wanted.sample = given
            ask(given.request, given.facts, wanted.note)
            if not wanted.lacking:
                return

    def _meeting(self, key: object) -> Callable[[Sample], bool]:
        """Return what tells whether a request meets a rule, a constraint or a limit."""
        return lambda sample: key in keys_of(self._reach.of(sample.request))

    def _callable(self, sample: Sample) -> Sample:
        """Let the session have called only what it could have called."""
        session = sample.facts.session
        if session is None or not session.calls:
            return sample
        kept = {name: n for name, n in session.calls.items() if self._granted(name, sample)}
        changed = replace(session, calls=Calls(kept))
        return replace(sample, facts=replace(sample.facts, session=changed))

    def _granted(self, tool: str, sample: Sample) -> bool:
        call = replace(sample.request, stage="tool_call", tool=tool, args={})
        return not self._reach.of(call).chain.is_denied

    def _filled(self, sample: Sample, limit: str = "", used: float = 0.0) -> Sample:
        """Let counters stand at nothing, or one of them at some value."""
        counters = {
            (need.limit, need.key): Count(used if need.limit == limit else 0.0)
            for need in self._engine.needs(sample.request).counters
        }
        return replace(sample, facts=replace(sample.facts, counters=counters))

    def _passes(self, seed: Sample) -> bool:
        """Whether a request made of one is not denied, so that it counts."""
        met, declared = self._met(seed)
        clearing = Clearing(met, declared, self._evaluated, self._decided)
        if clearing.cleared(told(seed), (), frozenset()) is not None:
            return True
        near = islice(around(seed, met, self._compiled, Reads()), _OPENED)
        return any(self._decided(told(sample)).effect != "deny" for sample in near)

    def _decided(self, sample: Sample) -> Decision:
        found = self._filled(sample)
        return self._engine.decide(found.request, found.facts)


def _silent(_request: Request, _facts: Facts, _note: Note) -> None:
    """Ask nothing: what comes of a request comes of those before it."""


def _of_argument(arguments: Arguments, argument: str) -> Ask:
    """Return what asks of one argument."""

    def ask(request: Request, _facts: Facts, note: Note) -> None:
        arguments.ask_one(argument, request.args or {}, note)

    return ask


def _parts(asks: RuleAsks) -> dict[Item, Ask]:
    """Return what asks of each item of a rule, where one part alone does."""
    times = Counter(item for items, _ in asks.parts for item in items)
    return {item: part for items, part in asks.parts for item in items if times[item] == 1}


def limit_outcome(limit: CompiledLimit, request: Request, facts: Facts) -> Outcome:
    """Tell what a limit says of a request."""
    found = limit.judge(request, facts)
    if isinstance(found, Reservation):
        return Outcome.NO_MATCH
    return Outcome.MATCH if found.code == "limit.exceeded" else Outcome.CANNOT_TELL


def _only(outcome: Outcome, note: Note) -> Note:
    """Return what hands on one outcome only."""
    return lambda item, found: note(item, found) if found is outcome else None


def _values(schema: Any) -> Iterator[Any]:
    """Yield values for an argument, the plainest first."""
    first, listing = plain(schema), hinted(schema)
    yield from (ABSENT, first)
    yield from islice(values_of(schema, first), _VALUES)
    yield None
    yield from islice(values_of(listing, first), _VALUES)


def _asking(asks: RuleAsks, wanted: _Wanted, corpus: Corpus) -> Ask:
    """Return what asks the parts of a rule of which an outcome is looked for."""

    def ask(request: Request, facts: Facts, note: Note) -> None:
        said: set[tuple[Item, Outcome]] = set()

        def keep(item: Item, outcome: Outcome) -> None:
            note(item, outcome)
            said.add((item, outcome))

        for items, part in asks.parts:
            if any(item in wanted.lacking for item in items):
                part(request, facts, keep)
        if wanted.sample is not None:
            corpus.keep(wanted.sample, said)

    return ask


def _chooses(node: Node) -> bool:
    return isinstance(node, Conditional)


def _nodes(tree: Node) -> Iterator[Node]:
    yield tree
    for child in children(tree):
        yield from _nodes(child)


def _reads(asks: RuleAsks) -> Reads:
    """Return what decides what a rule says."""
    rule = asks.rule
    found = set() if rule.condition is None else set(rule.condition.reads)
    if rule.constraint is not None:
        found.update(("args", name) for name in rule.constraint.schemas)
    if rule.check is not None:
        found.update(("args", path[0]) for path in rule.reads.values())
        found.update(() if rule.reads else (("args",),))
    return Reads(frozenset(found))
