"""A call that a policy set and its mutant decide differently."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
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
from policy_engine.testing.mutation.differences import Differs, differs_in
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.mutation.solved import Solved
from policy_engine.testing.reach import Reach
from policy_engine.testing.reading.requests import SESSION
from policy_engine.testing.search.counted import with_counters
from policy_engine.testing.search.sample import Reads, Sample, in_turn, told
from policy_engine.testing.search.samples import around
from policy_engine.testing.search.shown import Witness, shown

__all__ = ["Search"]

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


@dataclass(slots=True)
class _Hunt:
    """The search for a witness of one mutant."""

    other: Engine
    """Decides by the mutant."""
    differs: Differs | None
    """Asks the changed part alone."""
    counted: bool = False
    """Whether counters are part of it."""
    masked: list[Sample] = field(default_factory=list)
    """Samples of which the changed part says something else, and the decision does not."""


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
        compiled, engine = solver.compiled, solver.engine
        begun = [solver.opened(seed) or seed for seed in seeds[:_SEEDS]]
        begun = [*(one for seed in begun[:_FEW] for one in spoken(seed)), *begun]
        seeds = [*(one for one in begun if one not in seeds), *seeds]
        self._solver = solver
        self._meant = frozenset(meant)
        self._compiled = compiled
        self._engine = engine
        self._seeds = seeds
        self._begun = begun
        self._rest = _interleaved(seeds, compiled, reads)
        self._known: list[Sample] = []

    def witness(self, mutant: Mutant, other: Engine, names: Iterable[str] = ()) -> Witness | None:
        """Search for a request that a mutant decides differently.

        Args:
            mutant: What was changed.
            other: Decides by the mutant.
            names: Under which names something may speak otherwise.
        """
        hunt = _Hunt(other, differs_in(mutant, self._compiled, other.compiled, names))
        hunt.counted = mutant.unit[:1] == ("limits",)
        found = self._solved(mutant, hunt, tuple(names))
        if found is not None:
            return found
        samples = chain(
            () if mutant.aim is None else islice(aimed(mutant.aim, self._seeds), _AIMED),
            self._samples(),
        )
        found = self._told(islice(samples, _ASKED), hunt)
        # What else denies may be what hides the difference.
        return found or self._told(self._unmasked(hunt.masked[:_MASKED]), hunt)

    def _solved(self, mutant: Mutant, hunt: "_Hunt", names: tuple[str, ...]) -> Witness | None:
        """Look among requests that are made for the mutant."""
        made = self._solver.samples(mutant, names, self._begun)
        second = self._told(islice(made, _SOLVED), hunt)
        if second is not None and second.policy in EFFECTS:
            return second
        hidden, hunt.masked = hunt.masked, []
        meant = self._meant.union(names)
        cleared = (self._solver.cleared(one, mutant, meant) for one in hidden[:_HIDDEN])
        return self._told((one for one in cleared if one is not None), hunt) or second

    def _told(self, samples: Iterable[Sample], hunt: "_Hunt") -> Witness | None:
        second: Witness | None = None
        decided = since = 0
        for one in samples:
            sample = told(one)
            found = with_counters(sample, self._engine, hunt.other) if hunt.counted else sample
            if hunt.differs is not None and not hunt.differs(found):
                continue
            found = found if hunt.counted else with_counters(sample, self._engine, hunt.other)
            decided += 1
            since += second is not None
            if decided > _MOST or since > _MORE:
                break
            said = self._told_apart(found, hunt)
            if said is not None and said[0] in EFFECTS:
                return self._shown(found, hunt, said)
            hunt.masked.append(found)
            if second is None and said is not None:
                second = self._shown(found, hunt, said)
        return second

    def _unmasked(self, masked: Sequence[Sample]) -> Iterator[Sample]:
        """Go through samples around those that a difference does not show in."""
        reach = Reach(self._compiled)
        return in_turn(
            [
                islice(around(one, reach.of(one.request).chain, self._compiled, Reads()), _AROUND)
                for one in masked
            ]
        )

    def _shown(self, sample: Sample, hunt: "_Hunt", said: tuple[str, str]) -> Witness:
        """Return a request as people can paste it into a test, where sessions are given."""
        found = shown(sample, *said)
        if sample.request.session is not None:
            return found
        session = Session(started=sample.facts.now)
        request = replace(sample.request, session=SESSION)
        given = Sample(request, replace(sample.facts, session=session))
        if self._told_apart(with_counters(given, self._engine, hunt.other), hunt) == said:
            return found
        return replace(found, request={**found.request, "session": None})

    def _told_apart(self, sample: Sample, hunt: "_Hunt") -> tuple[str, str] | None:
        """Say what the policy decides and what its mutant does; None where that is the same."""
        before = self._engine.decide(sample.request, sample.facts)
        after = hunt.other.decide(sample.request, sample.facts)
        if before.effect != after.effect:
            return before.effect, after.effect
        return _different(before, after)

    def _samples(self) -> Iterator[Sample]:
        """Go through the samples; each is made once only."""
        yield from self._known
        while len(self._known) < _ASKED:
            sample = next(self._rest, None)
            if sample is None:
                return
            self._known.append(sample)
            yield sample


def _interleaved(seeds: Iterable[Sample], compiled: Compiled, reads: Reads) -> Iterator[Sample]:
    """Go through the samples around every seed, the nearest of each first."""
    reach = Reach(compiled)
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
