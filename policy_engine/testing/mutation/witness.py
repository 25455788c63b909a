"""A call that a policy set and its mutant decide differently."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.decision import (
    ApprovalNeeded,
    ApprovalUse,
    Count,
    Decision,
    Obligation,
    Reservation,
    Timeout,
)
from policy_engine.engine import Engine
from policy_engine.testing.mutation.aimed import aimed, in_turn
from policy_engine.testing.mutation.differences import Differs, differs_in
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.reach import Reach
from policy_engine.testing.search.sample import Reads, Sample
from policy_engine.testing.search.samples import around
from policy_engine.testing.search.shown import Witness, shown

__all__ = ["Search"]

_MOST: Final = 1_500
"""How many requests are decided for one mutant."""
_ASKED: Final = 8_000
"""Of how many the changed part alone is asked."""
_AIMED: Final = 5_000
"""Of these, how many aim at what is different."""
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
        compiled: The policy set.
        engine: Decides by it.
        seeds: Requests to begin with.
        reads: What of them matters.
    """

    def __init__(
        self, compiled: Compiled, engine: Engine, seeds: Sequence[Sample], reads: Reads
    ) -> None:
        self._compiled = compiled
        self._engine = engine
        self._seeds = seeds
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
        samples = chain(
            () if mutant.aim is None else islice(aimed(mutant.aim, self._seeds), _AIMED),
            self._samples(),
        )
        found = self._told(islice(samples, _ASKED), hunt)
        # What else denies may be what hides the difference.
        return found or self._told(self._unmasked(hunt.masked[:_MASKED]), hunt)

    def _told(self, samples: Iterable[Sample], hunt: "_Hunt") -> Witness | None:
        second: Witness | None = None
        decided = since = 0
        for sample in samples:
            found = self._filled(sample, hunt.other) if hunt.counted else sample
            if hunt.differs is not None and not hunt.differs(found):
                continue
            found = found if hunt.counted else self._filled(sample, hunt.other)
            decided += 1
            since += second is not None
            if decided > _MOST or since > _MORE:
                break
            before = self._engine.decide(found.request, found.facts)
            after = hunt.other.decide(found.request, found.facts)
            if before.effect != after.effect:
                return self._shown(found, before.effect, after.effect)
            hunt.masked.append(found)
            if second is None:
                different = _different(before, after)
                if different is not None:
                    second = self._shown(found, *different)
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

    def _shown(self, sample: Sample, before: str, after: str) -> Witness:
        found = shown(sample, before, after)
        if sample.facts.session is None and self._engine.needs(sample.request).session:
            return replace(found, beside=("nothing is known of the session", *found.beside))
        return found

    def _filled(self, sample: Sample, other: Engine) -> Sample:
        """Let counters stand at nothing that no test has counted with."""
        counters = sample.facts.counters
        needs = (
            *self._engine.needs(sample.request).counters,
            *other.needs(sample.request).counters,
        )
        missing = {
            (need.limit, need.key): Count(0.0)
            for need in needs
            if (need.limit, need.key) not in counters
        }
        if not missing:
            return sample
        return replace(sample, facts=replace(sample.facts, counters={**counters, **missing}))

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
            window = "" if item.per is None else f" per {item.per}"
            window += " s" if isinstance(item.per, float) else ""
            window += f" in {item.timezone}" if item.per == "day" else ""
            by = "/".join(item.key)
            amount = "usage" if item.amount is None else f"{item.amount:g}"
            alert = "" if item.alert_at is None else f", alerts at {item.alert_at:g}"
            return f'counts {amount} of {item.max:g}{window} towards "{item.limit}" of {by}{alert}'
        case ApprovalNeeded():
            people = " or ".join(item.approvers)
            return f'"{item.rule}" asks {item.quorum} of {people} within {item.expires:g} s'
        case ApprovalUse():
            return f'uses the approval of "{item.rule}"'
        case Timeout():
            return f"stops after {item.seconds:g} s"


def _named(noun: str, values: Iterable[str]) -> str:
    return f"{noun}{', '.join(values) or 'nothing'}"
