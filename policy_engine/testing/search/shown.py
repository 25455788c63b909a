"""A call that shows something, as people can paste it into a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from policy_engine.decision import Facts
from policy_engine.policy.words import number
from policy_engine.testing.search.asking import Asking, request_values
from policy_engine.testing.search.sample import Sample

__all__ = ["Standing", "Witness", "shown", "shown_after"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a session and of counters when a call is made."""

    labels: tuple[str, ...] = ()
    calls: tuple[tuple[str, int], ...] = ()
    """Tools, and how many of their calls returned."""
    used: tuple[tuple[str, tuple[str, ...], float], ...] = ()
    """Limits, whose counter it is, and what is used of it."""
    steps: tuple[Asking, ...] = ()
    """The steps of a test that ends with the call, where they are known."""


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
    facts = sample.facts
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
    values = request_values(sample.request, facts)
    return Witness(values, tuple(beside), before, after, _standing(facts))


def shown_after(last: Asking, steps: Sequence[Asking], before: str, after: str) -> Witness:
    """Return a request as a witness that comes after others.

    Args:
        last: The request as a step.
        steps: What is asked before it.
        before: What the policy decides.
        after: What its mutant does.
    """
    given = last.given
    values = request_values(given.request, Facts(now=given.now, answers=given.answers or {}))
    calls = sum(one.repeat for one in steps)
    beside = [f"{calls:,} calls come before it"] if calls > 1 else []
    if calls == 1:
        beside.append("a call comes before it")
    if last.usage is not None:
        tokens = last.usage.input_tokens + last.usage.output_tokens
        beside.append(f"it used {tokens:,} tokens")
    return Witness(values, tuple(beside), before, after, Standing(steps=(*steps, last)))


def _standing(facts: Facts) -> Standing:
    session = facts.session
    return Standing(
        () if session is None else tuple(sorted(session.labels)),
        () if session is None else tuple(sorted(session.calls.items())),
        tuple((limit, key, count.used) for (limit, key), count in facts.counters.items()),
    )
