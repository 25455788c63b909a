"""A call that a policy set and its mutant decide differently."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.compiler import Compiled
from policy_engine.decision import (
    ApprovalNeeded,
    ApprovalUse,
    Decision,
    Obligation,
    Reservation,
    Timeout,
)
from policy_engine.engine import Engine
from policy_engine.testing.mutation.samples import Sample, around
from policy_engine.testing.reach import Reach

__all__ = ["Search", "Witness"]

_MOST: Final = 1_500
"""How many requests are tried for one mutant."""
_MORE: Final = 300
"""How many of them for another effect, once something less is different."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that tells a mutant apart, as JSON values."""

    request: dict[str, Any]
    beside: tuple[str, ...]
    """What is known of the session and the counters, as clauses."""
    policy: str
    """What the policy decides."""
    mutant: str
    """What the mutant decides."""


class Search:
    """Searches for witnesses around the same requests, for one mutant after the other.

    Args:
        compiled: The policy set.
        engine: Decides by it.
        seeds: Requests to begin with.
    """

    def __init__(self, compiled: Compiled, engine: Engine, seeds: Iterable[Sample]) -> None:
        self._engine = engine
        self._rest = _interleaved(seeds, compiled, Reach(compiled))
        self._known: list[tuple[Sample, Decision]] = []

    def witness(self, other: Engine) -> Witness | None:
        """Search for a request that a mutant decides differently.

        Args:
            other: Decides by the mutant.
        """
        second: Witness | None = None
        for tried, (sample, before) in enumerate(self._samples()):
            if second is not None and tried > _MORE:
                break
            after = other.decide(sample.request, sample.facts)
            if before.effect != after.effect:
                return _witness(sample, before.effect, after.effect)
            if second is None:
                different = _different(before, after)
                if different is not None:
                    second = _witness(sample, *different)
        return second

    def _samples(self) -> Iterator[tuple[Sample, Decision]]:
        """Go through the samples; each is decided by the policy set once only."""
        yield from self._known
        while len(self._known) < _MOST:
            sample = next(self._rest, None)
            if sample is None:
                return
            found = (sample, self._engine.decide(sample.request, sample.facts))
            self._known.append(found)
            yield found


def _interleaved(seeds: Iterable[Sample], compiled: Compiled, reach: Reach) -> Iterator[Sample]:
    """Go through the samples around every seed, the nearest of each first."""
    running = [around(seed, reach.of(seed.request).chain, compiled) for seed in seeds]
    while running:
        for samples in list(running):
            sample = next(samples, None)
            if sample is None:
                running.remove(samples)
            else:
                yield sample


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
            by = "/".join(item.key)
            amount = "usage" if item.amount is None else f"{item.amount:g}"
            return f'counts {amount} of {item.max:g}{window} towards "{item.limit}" of {by}'
        case ApprovalNeeded():
            people = " or ".join(item.approvers)
            return f'"{item.rule}" asks {item.quorum} of {people} within {item.expires:g} s'
        case ApprovalUse():
            return f'uses the approval of "{item.rule}"'
        case Timeout():
            return f"stops after {item.seconds:g} s"


def _named(noun: str, values: Iterable[str]) -> str:
    return f"{noun}{', '.join(values) or 'nothing'}"


def _witness(sample: Sample, before: str, after: str) -> Witness:
    request, facts = sample.request, sample.facts
    values: dict[str, Any] = {}
    for name in type(request).__slots__:
        value = getattr(request, name)
        if value is not None and not (name == "stage" and value == "tool_call"):
            values[name] = value
    if facts.answers:
        values["facts"] = dict(facts.answers)
    if facts.now is not None:
        values["now"] = facts.now.isoformat()
    beside = []
    if facts.session is None:
        beside.append("nothing is known of the session")
    elif facts.session.labels:
        beside.append(f"the session carries {', '.join(sorted(facts.session.labels))}")
    if facts.session is not None and facts.session.calls:
        beside.append(f"it called {', '.join(sorted(facts.session.calls))}")
    beside.extend(
        f'the limit "{limit}" stands at {count.used:g}'
        for (limit, _), count in facts.counters.items()
        if count.used
    )
    return Witness(values, tuple(beside), before, after)
