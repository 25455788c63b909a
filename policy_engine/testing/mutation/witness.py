"""A call that a policy set and its mutant decide differently."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from policy_engine.compiler import Compiled
from policy_engine.decision import Decision, Reservation
from policy_engine.engine import Engine
from policy_engine.testing.mutation.samples import Sample, around
from policy_engine.testing.reach import Reach

__all__ = ["Witness", "find_witness"]

_MOST: Final = 4_000
"""How many requests are tried for one mutant."""


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


def find_witness(
    compiled: Compiled, engine: Engine, other: Engine, seeds: Iterable[Sample]
) -> Witness | None:
    """Search for a request that two engines decide differently.

    Args:
        compiled: The policy set of the first engine.
        engine: Decides by the policy set.
        other: Decides by the mutant.
        seeds: Requests to begin with.
    """
    reach = Reach(compiled)
    second: Witness | None = None
    tried = 0
    for sample in _interleaved(seeds, compiled, reach):
        tried += 1
        if tried > _MOST:
            break
        before = engine.decide(sample.request, sample.facts)
        after = other.decide(sample.request, sample.facts)
        if before.effect != after.effect:
            return _witness(sample, before.effect, after.effect)
        if second is None:
            different = _different(before, after)
            if different is not None:
                second = _witness(sample, *different)
    return second


def _interleaved(
    seeds: Iterable[Sample], compiled: Compiled, reach: Reach
) -> Iterator[Sample]:
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
        return _named("labels", before.labels), _named("labels", after.labels)
    mine, other = set(_owed(before)), set(_owed(after))
    if mine != other:
        return (
            _named("obliges", map(str, sorted(mine - other, key=repr))),
            _named("obliges", map(str, sorted(other - mine, key=repr))),
        )
    return None


def _owed(decision: Decision) -> Iterator[object]:
    for item in decision.obligations:
        yield replace(item, alert_at=None) if isinstance(item, Reservation) else item


def _named(noun: str, values: Iterable[str]) -> str:
    return f"{noun}: {', '.join(values) or 'none'}"


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

