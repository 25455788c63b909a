"""A call that a policy set and its mutant decide differently."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.decision import (
    EFFECTS,
    ApprovalNeeded,
    ApprovalUse,
    Decision,
    Obligation,
    Reservation,
    Session,
    Timeout,
)
from policy_engine.engine import Engine
from policy_engine.policy.words import number
from policy_engine.testing.mutation.aimed import aimed
from policy_engine.testing.mutation.denied import Denied
from policy_engine.testing.mutation.differences import differs_in
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.mutation.solved import Solved
from policy_engine.testing.reach import Reach
from policy_engine.testing.reading.requests import SESSION
from policy_engine.testing.search.counted import with_counters
from policy_engine.testing.search.sample import Reads, Sample, in_turn, told
from policy_engine.testing.search.samples import around
from policy_engine.testing.search.shown import Witness, shown

__all__ = ["Hunt", "Search"]

_MOST: Final = 1_500
"""How many requests are decided for one mutant."""
_ASKED: Final = 8_000
"""Of how many the changed part alone is asked."""
_AIMED: Final = 5_000
"""Of these, how many aim at what is different."""
_SEEDS: Final = 4
"""From so many requests others are made for the mutant."""
_FEW: Final = 2
_SOLVED: Final = 240
"""So many of them are tried."""
_HIDDEN: Final = 24
"""Of so many a difference that does not show is tried to be cleared of what hides it."""
_MASKED: Final = 4
_AROUND: Final = 600
"""So many samples are tried around one that something else denies."""
_MORE: Final = 20
"""How many are decided for another effect, once something less is different."""


class Search:
    """Searches for witnesses around the same requests, for one mutant after the other.

    Args:
        solver: Makes requests for a mutant.
        seeds: Requests to begin with.
        reads: What of them matters.
        meant: The names under which what is changed may deny.
        spoken: Returns requests of which the condition holds that stands beside a check.
    """

    def __init__(
        self,
        solver: Solved,
        seeds: Sequence[Sample],
        reads: Reads,
        meant: Iterable[str],
        spoken: Callable[[Sample], Iterable[Sample]],
    ) -> None:
        begun = [solver.opened(seed) or seed for seed in seeds[:_SEEDS]]
        begun = [*(one for seed in begun[:_FEW] for one in spoken(seed)), *begun]
        self.solver = solver
        self.reach = Reach(solver.compiled)
        self.meant = frozenset(meant)
        self.begun = begun
        """Requests that others are made from for a mutant."""
        self.seeds = [*(one for one in begun if one not in seeds), *seeds]
        self._rest = _interleaved(self.seeds, self.reach, solver.compiled, reads)
        self._known: list[Sample] = []
        self.labels = frozenset(
            label
            for one in solver.compiled.policies.policies
            for entry in (one.policy.tools or {}).values()
            for label in entry.labels
        )
        """The labels that a session may carry."""

    def hunt(self, mutant: Mutant, other: Engine, names: Iterable[str] = ()) -> "Hunt":
        """Return the search for a request that a mutant decides differently.

        Args:
            mutant: What was changed.
            other: Decides by the mutant.
            names: Under which names something may speak otherwise.
        """
        return Hunt(self, mutant, other, tuple(names))

    def samples(self) -> Iterator[Sample]:
        """Go through the samples; each is made once only."""
        yield from self._known
        while len(self._known) < _ASKED:
            sample = next(self._rest, None)
            if sample is None:
                return
            self._known.append(sample)
            yield sample


class Hunt:
    """The search for a witness of one mutant.

    Args:
        search: What mutants of the same names share.
        mutant: What was changed.
        other: Decides by the mutant.
        names: Under which names something may speak otherwise.
    """

    def __init__(
        self, search: Search, mutant: Mutant, other: Engine, names: tuple[str, ...]
    ) -> None:
        self._search = search
        self._mutant = mutant
        self._names = names
        self._engine = search.solver.engine
        self._other = other
        base, changed = search.solver.compiled, other.compiled
        self._differs = differs_in(mutant, base, changed, names)
        self._denied = Denied(search.reach, changed)
        self._is_counted = mutant.unit[:1] == ("limits",)
        self._masked: list[Sample] = []
        """Samples of which the changed part says something else, and the decision does not."""

    def made(self) -> Witness | None:
        """Look among the few requests that are made for the mutant."""
        solver, search = self._search.solver, self._search
        made = solver.samples(self._mutant, self._names, search.begun)
        second = self._told(islice(made, _SOLVED))
        if second is not None and second.policy in EFFECTS:
            return second
        hidden, self._masked = self._masked, []
        meant = search.meant.union(self._names)
        cleared = (solver.cleared(one, self._mutant, meant) for one in hidden[:_HIDDEN])
        return self._told(one for one in cleared if one is not None) or second

    def tried(self) -> Witness | None:
        """Look among the many requests around those of tests."""
        aim, search = self._mutant.aim, self._search
        samples = chain(
            () if aim is None else islice(aimed(aim, search.seeds), _AIMED),
            search.samples(),
        )
        # What else denies may be what hides the difference.
        return self._told(islice(samples, _ASKED)) or self._told(self._unmasked())

    def _told(self, samples: Iterable[Sample]) -> Witness | None:
        second: Witness | None = None
        decided = since = 0
        for one in samples:
            sample = told(one)
            session = sample.facts.session
            if session is not None and not session.labels <= self._search.labels:
                continue  # nothing sets such a label
            if self._is_counted:
                sample = with_counters(sample, self._engine, self._other)
            if self._differs is not None and not self._differs(sample):
                continue
            decided += 1
            since += second is not None
            if decided > _MOST or since > _MORE:
                break
            if self._denied.alike(sample):
                self._mask(sample)
                continue
            found = with_counters(sample, self._engine, self._other)
            said = self._told_apart(found)
            if said is not None and said[0] in EFFECTS:
                return self._shown(found, said)
            self._mask(found)
            if second is None and said is not None:
                second = self._shown(found, said)
        return second

    def _mask(self, sample: Sample) -> None:
        if len(self._masked) < _HIDDEN:
            self._masked.append(with_counters(sample, self._engine, self._other))

    def _unmasked(self) -> Iterator[Sample]:
        """Go through samples around those that a difference does not show in."""
        reach, compiled = self._search.reach, self._search.solver.compiled
        return in_turn(
            [
                islice(around(one, reach.of(one.request).chain, compiled, Reads()), _AROUND)
                for one in self._masked[:_MASKED]
            ]
        )

    def _shown(self, sample: Sample, said: tuple[str, str]) -> Witness:
        """Return a request as people can paste it into a test, where sessions are given."""
        found = shown(sample, *said)
        if sample.request.session is not None:
            return found
        session = Session(started=sample.facts.now)
        request = replace(sample.request, session=SESSION)
        given = Sample(request, replace(sample.facts, session=session))
        if self._told_apart(with_counters(given, self._engine, self._other)) == said:
            return found
        return replace(found, request={**found.request, "session": None})

    def _told_apart(self, sample: Sample) -> tuple[str, str] | None:
        """Say what the policy decides and what its mutant does; None where that is the same."""
        before = self._engine.decide(sample.request, sample.facts)
        after = self._other.decide(sample.request, sample.facts)
        if before.effect == "deny" == after.effect:
            self._denied.note(before)
            return None
        if before.effect != after.effect:
            return before.effect, after.effect
        return _different(before, after)


def _interleaved(
    seeds: Iterable[Sample], reach: Reach, compiled: Compiled, reads: Reads
) -> Iterator[Sample]:
    """Go through the samples around every seed, the nearest of each first."""
    return in_turn([around(seed, reach.of(seed.request).chain, compiled, reads) for seed in seeds])


def _different(before: Decision, after: Decision) -> tuple[str, str] | None:
    """Say in what decisions of one effect differ, if in anything that is carried out."""
    if before.would != after.would:
        return f"would {before.would}", f"would {after.would}"
    if before.request != after.request:
        return "redacts more", "redacts less"
    if set(before.labels) != set(after.labels):
        return _named("labels: ", before.labels), _named("labels: ", after.labels)
    mine, other = set(map(_owed, before.obligations)), set(map(_owed, after.obligations))
    if mine != other:
        return _named("", sorted(mine - other)), _named("", sorted(other - mine))
    return None


def _owed(item: Obligation) -> str:
    """Say what must be done for a decision to hold."""
    match item:
        case Reservation():
            per = f"{number(item.per)} s" if isinstance(item.per, float) else item.per
            window = "" if per is None else f" per {per}"
            window += f" in {item.timezone}" if item.per == "day" else ""
            by = "/".join(item.key)
            amount = "usage" if item.amount is None else number(item.amount)
            alert = "" if item.alert_at is None else f", alerts at {number(item.alert_at)}"
            of = number(item.max) + window
            return f'counts {amount} of {of} towards "{item.limit}" of {by}{alert}'
        case ApprovalNeeded():
            people = " or ".join(item.approvers)
            return f'"{item.rule}" asks {item.quorum} of {people} within {number(item.expires)} s'
        case ApprovalUse():
            return f'uses the approval of "{item.rule}"'
        case Timeout():
            return f"stops after {number(item.seconds)} s"


def _named(noun: str, values: Iterable[str]) -> str:
    return f"{noun}{', '.join(values) or 'nothing'}"
