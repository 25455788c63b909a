"""Which tests notice a mutant, and if none does, which call would have."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Final, Literal, TypeAlias

from policy_engine.compiler import Compiled, Status, Variants
from policy_engine.compiler.message import escaped
from policy_engine.compiler.names import matches_glob
from policy_engine.decision import EFFECTS, Decision, Facts, Request
from policy_engine.engine import Engine
from policy_engine.errors import Location, PolicyError
from policy_engine.testing.case import Case
from policy_engine.testing.mutation.alike import prove
from policy_engine.testing.mutation.climbing import opened
from policy_engine.testing.mutation.enumerate import mutants_of
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.mutation.sequences import Sequences
from policy_engine.testing.mutation.solved import Solved
from policy_engine.testing.mutation.spending import spent
from policy_engine.testing.mutation.untouched import Asked, says_otherwise
from policy_engine.testing.mutation.witness import Search
from policy_engine.testing.reach import Reach
from policy_engine.testing.replay import prices_of
from policy_engine.testing.run import passes, run_case
from policy_engine.testing.search.made import completed, made_of
from policy_engine.testing.search.sample import Reads, Sample, begun
from policy_engine.testing.search.shown import Witness

__all__ = ["UNNOTICED", "Examiner", "Verdict"]

UNNOTICED: Final = frozenset({"survived", "undecided"})
"""What becomes of a mutant that no test notices, although it may be told apart."""

_SEEDS: Final = 16
"""From how many requests of tests a witness is searched for."""
_COMPLETED: Final = 2
"""So many denied requests of tests for each tool are given what they lack."""
Kept: TypeAlias = dict[tuple[frozenset[str], ...], Sample]
"""(rules that spoke, labels, names of arguments) -> a request."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant."""

    fate: Literal["killed", "survived", "undecided", "equivalent", "refused"]
    """`survived`: a call tells it apart, and no test notices; `undecided`: no such call was found,
    nor a proof that there is none; `equivalent`: there is none; `refused`: it does not load."""
    what: str
    location: Location
    rule: str | None
    killer: str | None = None
    """The case that noticed."""
    witness: Witness | None = None
    why: str | None = None
    """Of an equivalent one, why no call tells it apart."""


class Examiner:
    """Runs tests against mutants of a policy set.

    Args:
        compiled: The policy set.
        cases: The tests, each of which passes.
    """

    def __init__(self, compiled: Compiled, cases: Sequence[Case]) -> None:
        self._compiled = compiled
        self._engine = Engine(compiled)
        self._prices = prices_of(compiled)
        self._variants = Variants(compiled)
        self._solver = Solved(compiled, self._engine)
        self._sequences = Sequences(compiled, self._engine)
        self._cases = tuple(cases)
        self._by_name: dict[str, list[int]] = {}
        self._seeds: dict[str, dict[str, Kept]] = {}
        self._every: dict[tuple[str | None, str], Kept] = {}
        self._last: tuple[tuple[object, ...], Search] | None = None
        self._named: list[frozenset[str]] = [_expected(case) for case in cases]
        self.mutants: tuple[Mutant, ...] = tuple(mutants_of(compiled))
        """Every mutant, in an order that does not change."""
        reach = self._reach = Reach(compiled)
        permitted: set[tuple[str, ...]] = set()
        denied: dict[tuple[str, ...], list[Sample]] = {}
        self._asked: list[Asked] = []
        for index, case in enumerate(cases):
            met: dict[str, None] = {}
            asked = Asked()
            self._asked.append(asked)

            def watch(
                decision: Decision,
                facts: Facts,
                met: dict[str, None] = met,
                asked: Asked = asked,
            ) -> None:
                names = reach.of(decision.asked).names
                met.update(dict.fromkeys(names))
                asked.note(decision, facts, names)
                sample = begun(decision.asked, facts)
                self._note(sample, names, decision)
                if decision.effect == "deny":
                    denied.setdefault(_kind(decision.asked), []).append(sample)
                else:
                    permitted.update((name, *_kind(decision.asked)) for name in names)

            run_case(self._engine, self._prices, case, watch)
            for name in met:
                self._by_name.setdefault(name, []).append(index)

        for sample in made_of(compiled):
            self._begin(sample, permitted, denied.get(_kind(sample.request), [])[:_COMPLETED])

    def _begin(
        self, made: Sample, permitted: AbstractSet[tuple[str, ...]], denied: list[Sample]
    ) -> None:
        """Note requests for what no test asks, or only asks to be denied.

        There a mutant would seem to change nothing.
        """
        kind = _kind(made.request)
        for sample in (made, *(completed(one, made) for one in denied)):
            met = self._reach.of(sample.request).names
            names = frozenset(name for name in met if (name, *kind) not in permitted)
            decision = self._engine.decide(sample.request, sample.facts)
            self._note(sample, names, decision)
            if names and decision.effect == "deny":
                found = self._solver.opened(sample)
                if found is not None:
                    decision = self._engine.decide(found.request, found.facts)
                    self._note(found, names, decision)

    def examine(self, number: int) -> Verdict:
        """Run the tests that meet what a mutant changes, until one notices."""
        mutant = self.mutants[number]
        told = (mutant.what, mutant.location, mutant.name)
        try:
            changed = self._variant(mutant)
        except PolicyError:
            return Verdict("refused", *told)
        other = Engine(changed)
        prices = prices_of(changed) if mutant.unit == ("prices",) else self._prices
        names = self._names(mutant)
        differs = says_otherwise(mutant, self._compiled, changed, names or ())
        for index in self._meeting(mutant, names):
            case = self._cases[index]
            touched = self._asked[index].is_touched(names, differs)
            if touched and not passes(other, prices, case):
                return Verdict("killed", *told, killer=case.name)
        if mutant.unit == ("prices",) and mutant.aim is not None:
            seeds = self._applied(mutant.index)
            witness = spent(mutant.aim, self._compiled, prices, self._engine, seeds)
            return _unnoticed(told, witness)
        search = self._search(mutant, names)
        if mutant.unit[:1] == ("limits",):
            return self._of_limit(mutant, other, search)
        hunt = search.hunt(mutant, other, names or ())
        witness = hunt.made()
        if witness is None:
            why = prove(mutant, self._compiled, changed)
            if why is not None:
                return Verdict("equivalent", *told, why=why)
            witness = hunt.tried()
        return _unnoticed(told, witness)

    def _of_limit(self, mutant: Mutant, other: Engine, search: Search) -> Verdict:
        """Look for calls one after the other, of which the limit of a mutant stops another one."""
        told = (mutant.what, mutant.location, mutant.name)
        witness = self._sequences.apart(mutant, other, search.seeds)
        if witness is not None:
            return _unnoticed(told, witness)
        why = prove(mutant, self._compiled, other.compiled)
        if why is not None:
            return Verdict("equivalent", *told, why=why)
        if not self._sequences.is_of_counting(mutant):
            hunt = search.hunt(mutant, other, search.meant)
            witness = hunt.made() or hunt.tried()
        # What a limit counts shows in no test: only what comes of it does.
        shows = witness is not None and witness.policy in EFFECTS
        return _unnoticed(told, witness if shows else None)

    def _names(self, mutant: Mutant) -> tuple[str, ...] | None:
        """Return the names under which something may speak otherwise; None for any."""
        aim = mutant.aim
        if mutant.unit != ("declared",) or aim is None:
            return None if mutant.name is None else (mutant.name,)
        place = ("principal", "attrs") if aim.place == "attrs" else (aim.place,)
        path = (*place, aim.name)
        return tuple(
            sorted(
                {
                    rule.name
                    for rule in self._compiled.parts[mutant.index].rules()
                    if rule.condition is not None
                    and any(read[: len(path)] == path[: len(read)] for read in rule.condition.reads)
                }
            )
        )

    def _search(self, mutant: Mutant, names: tuple[str, ...] | None) -> Search:
        """Return the search that belongs to names; mutants of one name follow one another."""
        glob = mutant.aim.name if mutant.aim is not None and mutant.aim.place == "only" else "*"
        meant = frozenset(_denying(mutant, names or ()))
        key = (mutant.index, names, glob, meant)
        if self._last is None or self._last[0] != key:
            chosen = self._chosen(mutant, names, meant)
            reads = self._reads(mutant, names)
            spoken = partial(self._solver.spoken, names or (), mutant.index)
            self._last = (key, Search(self._solver, chosen, reads, meant, spoken))
        return self._last[1]

    def _chosen(
        self, mutant: Mutant, names: tuple[str, ...] | None, meant: frozenset[str]
    ) -> list[Sample]:
        """Return requests to begin with, the least denied ones of each tool."""
        if names is None:
            spread = _spread(self._applied(mutant.index), 3 * _SEEDS)
            return opened(spread, meant, self._solver)
        glob = mutant.aim.name if mutant.aim is not None and mutant.aim.place == "only" else "*"
        by_tool: dict[str, dict[int, Sample]] = {}
        for name in names:
            for tool, kept in self._seeds.get(name, {}).items():
                if matches_glob(glob, tool):
                    by_tool.setdefault(tool, {}).update((id(one), one) for one in kept.values())
        if not by_tool:
            return opened(self._applied(mutant.index)[:_SEEDS], meant, self._solver)
        most = max(4, 3 * _SEEDS // max(1, len(by_tool)))
        ranked = [
            opened(_spread(list(found.values()), 2 * most), meant, self._solver)
            for found in by_tool.values()
        ]
        # The best of every tool comes first.
        rows = zip_longest(*(found[:most] for found in ranked))
        return [seed for row in rows for seed in row if seed is not None]

    def _reads(self, mutant: Mutant, names: tuple[str, ...] | None) -> Reads:
        """Return what decides whether what is changed speaks."""
        if names is None or mutant.unit[:1] == ("limits",):
            return Reads()
        if len(mutant.unit) == 3 and mutant.unit[2] in ("args", "types") and mutant.aim:
            return Reads(frozenset({("args", mutant.aim.name)}))
        found: set[tuple[str, ...]] = set()
        for rule in self._compiled.parts[mutant.index].rules():
            if rule.name in names:
                found.update(() if rule.condition is None else rule.condition.reads)
                if rule.constraint is not None:
                    found.update(("args", name) for name in rule.constraint.schemas)
                if rule.check is not None:
                    found.update(("args", path[0]) for path in rule.reads.values())
                    found.update(() if rule.reads else (("args",),))
        return Reads(frozenset(found))

    def _applied(self, index: int) -> list[Sample]:
        """Return the requests of tests that a policy applies to."""
        applies = self._compiled.applies[index]
        found = [
            sample
            for kept in self._every.values()
            for sample in kept.values()
            if applies is None or applies.status(sample.request) is Status.YES
        ]
        return found or [sample for kept in self._every.values() for sample in kept.values()]

    def _variant(self, mutant: Mutant) -> Compiled:
        if mutant.tree is not None:
            return self._variants.with_condition(mutant.index, mutant.unit, mutant.tree)
        return self._variants.make(mutant.index, mutant.policy, mutant.unit)

    def _meeting(self, mutant: Mutant, names: tuple[str, ...] | None) -> list[int]:
        """Return the cases that meet what is changed, the likeliest to notice first."""
        numbers: Sequence[int] = range(len(self._cases))
        if names is not None:
            met = [self._by_name.get(name, ()) for name in names]
            numbers = sorted({number for found in met for number in found})
        likely = set(names or ())
        if mutant.name is not None and mutant.aim is not None and mutant.aim.place == "args":
            likely = {f"{mutant.name}/args/{mutant.aim.name}"}
        return sorted(numbers, key=lambda number: likely.isdisjoint(self._named[number]))

    def _note(self, sample: Sample, names: frozenset[str], decision: Decision) -> None:
        _, named = _kind(sample.request)
        for name in names:
            _keep(self._seeds.setdefault(name, {}).setdefault(named, {}), sample, decision)
        _keep(self._every.setdefault((sample.request.agent, named), {}), sample, decision)


def _unnoticed(told: tuple[str, Location, str | None], witness: Witness | None) -> Verdict:
    return Verdict("survived" if witness else "undecided", *told, witness=witness)


def _denying(mutant: Mutant, names: Sequence[str]) -> Iterator[str]:
    """Yield the names under which what is changed denies."""
    if mutant.unit == ("declared",):
        return
    for name in names:
        yield name
        if mutant.unit[2:] in (("args",), ("types",)):
            yield f"{name}/args"
            if mutant.aim is not None:
                yield f"{name}/args/{escaped(mutant.aim.name)}"


def _kind(request: Request) -> tuple[str, str]:
    """Return the stage of a request and what it names there."""
    return request.stage, request.tool or request.target or request.model or request.stage


def _keep(kept: Kept, sample: Sample, decision: Decision) -> None:
    """Keep a request of each kind: what it carries, in what session, and which rules spoke."""
    session = sample.facts.session
    kind = (
        frozenset(reason.rule for reason in decision.reasons),
        frozenset() if session is None else session.labels,
        frozenset(sample.request.args or ()),
    )
    # Where all is denied, nothing that a mutant lets through can be seen.
    if len(kept) < (_SEEDS if decision.effect == "deny" else 2 * _SEEDS):
        kept.setdefault(kind, sample)


def _spread(seeds: Sequence[Sample], most: int) -> list[Sample]:
    """Return so many of them, from everywhere in the list."""
    if len(seeds) <= most:
        return list(seeds)
    return [seeds[i * len(seeds) // most] for i in range(most)]


def _expected(case: Case) -> frozenset[str]:
    """Return the rules that a case expects to decide."""
    return frozenset(
        rule
        for step in case.steps
        if step.expected is not None
        for rule in (
            *step.expected.rules,
            *step.expected.any_of,
            *(step.expected.cannot_tell or ()),
        )
    )
