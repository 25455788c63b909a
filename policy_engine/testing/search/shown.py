"""A call that shows something, as people can paste it into a test."""

from dataclasses import dataclass
from typing import Any

from policy_engine.decision import Facts
from policy_engine.policy.words import number
from policy_engine.testing.search.sample import Sample

__all__ = ["Standing", "Witness", "shown"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a session and of counters when a call is made."""

    labels: tuple[str, ...] = ()
    calls: tuple[tuple[str, int], ...] = ()
    """Tools, and how many of their calls returned."""
    used: tuple[tuple[str, tuple[str, ...], float], ...] = ()
    """Limits, whose counter it is, and what is used of it."""
    before: tuple[dict[str, Any], ...] = ()
    """Steps of a test that bring something else about."""


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
    standing: Standing = Standing()
    """The same as `beside` says."""


def shown(sample: Sample, before: str, after: str) -> Witness:
    """Return a request as a witness, with what the policy decides and what its mutant does."""
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
    if facts.session is not None and facts.session.labels:
        beside.append(f"the session carries {', '.join(sorted(facts.session.labels))}")
    if facts.session is not None and facts.session.calls:
        beside.append(f"it called {', '.join(sorted(facts.session.calls))}")
    beside.extend(
        f'the limit "{limit}" stands at {number(count.used)}'
        for (limit, _), count in facts.counters.items()
        if count.used
    )
    return Witness(values, tuple(beside), before, after, _standing(facts))


def _standing(facts: Facts) -> Standing:
    session = facts.session
    return Standing(
        () if session is None else tuple(sorted(session.labels)),
        () if session is None else tuple(sorted(session.calls.items())),
        tuple((limit, key, count.used) for (limit, key), count in facts.counters.items()),
    )
