"""Which tests notice a mutant, and if none does, which call would have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from policy_engine.compiler import Compiled, Variants
from policy_engine.decision import Decision, Facts
from policy_engine.engine import Engine
from policy_engine.errors import Location, PolicyError
from policy_engine.testing.case import Case
from policy_engine.testing.mutation.enumerate import mutants_of
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.mutation.samples import Sample
from policy_engine.testing.mutation.witness import Search, Witness
from policy_engine.testing.reach import Reach
from policy_engine.testing.replay import prices_of
from policy_engine.testing.run import passes, run_case

__all__ = ["Examiner", "Verdict"]

_SEEDS: Final = 12
"""From how many requests of tests a witness is searched for."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant."""

    fate: Literal["killed", "survived", "equivalent", "refused"]
    """`equivalent`: no call was found that tells it apart; `refused`: it does not load."""
    what: str
    location: Location
    rule: str | None
    killer: str | None = None
    """The case that noticed."""
    witness: Witness | None = None


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
        self._cases = tuple(cases)
        self._by_name: dict[str, list[int]] = {}
        self._seeds: dict[str, list[Sample]] = {}
        self._every: list[Sample] = []
        self._last: tuple[str | None, Search] | None = None
        self.mutants: tuple[Mutant, ...] = tuple(mutants_of(compiled))
        """Every mutant, in an order that does not change."""
        reach = Reach(compiled)
        for index, case in enumerate(cases):
            met: dict[str, None] = {}

            def watch(decision: Decision, facts: Facts, met: dict[str, None] = met) -> None:
                names = reach.of(decision.asked).names
                met.update(dict.fromkeys(names))
                sample = Sample(decision.asked, replace(facts, approvals={}))
                self._note(sample, names, decision)

            run_case(self._engine, self._prices, case, watch)
            for name in met:
                self._by_name.setdefault(name, []).append(index)

    def examine(self, number: int) -> Verdict:
        """Run the tests that meet what a mutant changes, until one notices."""
        mutant = self.mutants[number]
        told = (mutant.what, mutant.location, mutant.name)
        try:
            changed = self._variant(mutant)
        except PolicyError:
            return Verdict("refused", *told)
        other = Engine(changed)
        for case in self._meeting(mutant):
            if not passes(other, self._prices, case):
                return Verdict("killed", *told, killer=case.name)
        witness = self._search(mutant.name).witness(other)
        fate: Literal["survived", "equivalent"] = "survived" if witness else "equivalent"
        return Verdict(fate, *told, witness=witness)

    def _search(self, name: str | None) -> Search:
        """Return the search that belongs to a name; mutants of one name follow one another."""
        if self._last is None or self._last[0] != name:
            seeds = self._every if name is None else self._seeds.get(name, [])
            search = Search(self._compiled, self._engine, seeds[: 4 * _SEEDS])
            self._last = (name, search)
        return self._last[1]

    def _variant(self, mutant: Mutant) -> Compiled:
        if mutant.tree is not None:
            return self._variants.with_condition(mutant.index, mutant.unit, mutant.tree)
        return self._variants.make(mutant.index, mutant.policy, mutant.unit)

    def _meeting(self, mutant: Mutant) -> Iterator[Case]:
        if mutant.name is None:
            yield from self._cases
            return
        found = [self._cases[index] for index in self._by_name.get(mutant.name, ())]
        # Those that name the rule are the likeliest to notice.
        found.sort(key=lambda case: not _names(case, str(mutant.name)))
        yield from found

    def _note(self, sample: Sample, names: frozenset[str], decision: Decision) -> None:
        for name in names:
            kept = self._seeds.setdefault(name, [])
            if len(kept) < _SEEDS:
                kept.append(sample)
            elif decision.permitted and not any(s.request == sample.request for s in kept):
                kept.insert(0, sample)
                kept.pop()
        if len(self._every) < 20 * _SEEDS and decision.permitted:
            self._every.append(sample)


def _names(case: Case, name: str) -> bool:
    return any(
        rule.startswith(name)
        for step in case.steps
        if step.expected is not None
        for rule in (*step.expected.rules, *step.expected.any_of)
    )
