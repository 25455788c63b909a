"""Requests around those of tests, with other values put in single places."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from policy_engine.compiler import Chain, Compiled
from policy_engine.compiler.limit import counter_key
from policy_engine.decision import Calls, Count, Session
from policy_engine.policy import Policy
from policy_engine.testing.search.near import Near
from policy_engine.testing.search.pairs import in_pairs
from policy_engine.testing.search.sample import (
    ABSENT,
    OTHER,
    Reads,
    Sample,
    with_argument,
    with_fact,
)
from policy_engine.testing.search.values import values_of

__all__ = ["around"]

_PICTURE: Final = {"type": "image", "source": {"type": "base64", "data": "AAAA"}}
_FEW: Final = 60
"""From so many samples that differ in one respect come those that differ in two."""
_SIZES: Final = (("max_chars", "a"), ("max_bytes", "a"), ("max_lines", "a\n"))
"""What bounds a text, and what is repeated to reach it."""
_PEOPLE: Final[tuple[tuple[str, Any], ...]] = (
    ("id", OTHER),
    ("roles", [OTHER]),
    ("roles", None),
    ("tenant", OTHER),
    ("tenant", None),
)


def around(sample: Sample, chain: Chain, compiled: Compiled, reads: Reads) -> Iterator[Sample]:
    """Yield a sample and those that differ from it in one respect, then in two.

    Args:
        sample: The request and what is known.
        chain: What it meets.
        compiled: The policy set.
        reads: What matters.
    """
    yield sample
    near = Near(sample, chain)
    single: list[Sample] = []
    for one in _variations(sample, chain, compiled, near, reads):
        single.append(one)
        yield one
    if sample.facts.session is not None and reads.wants("session"):
        every = Calls(dict.fromkeys(near.texts, 1))
        session = replace(sample.facts.session, calls=every)
        called = replace(sample, facts=replace(sample.facts, session=session))
        yield called
        yield from _variations(called, chain, compiled, near, reads)
    yield from in_pairs(sample, near, reads)
    for first in islice(single, 0, None, max(1, len(single) // _FEW)):
        if reads.wants("session"):
            yield from _session_of(first, compiled)
        yield from _facts_of(first, compiled, near, reads)


def _variations(
    sample: Sample, chain: Chain, compiled: Compiled, near: Near, reads: Reads
) -> Iterator[Sample]:
    ways: list[Iterator[Sample]] = [
        _arguments_of(sample, chain, near, reads),
        _facts_of(sample, compiled, near, reads),
        _texts_of(sample, chain, near),
        _counts_of(sample, chain),
        _people_of(sample, compiled, reads),
    ]
    if reads.wants("session"):
        ways.extend((_session_of(sample, compiled), _called(sample, near)))
    while ways:
        for way in list(ways):
            found = next(way, None)
            if found is None:
                ways.remove(way)
            else:
                yield found


def _arguments_of(sample: Sample, chain: Chain, near: Near, reads: Reads) -> Iterator[Sample]:
    args = sample.request.args
    if not isinstance(args, dict):
        return
    declared: dict[str, list[Any]] = {}
    for constraint in (*chain.constraints, *(r.constraint for r in chain.rules if r.constraint)):
        for name, schema in constraint.schemas.items():
            declared.setdefault(name, []).append(schema)
    for name in dict.fromkeys((*declared, *args)):
        if not reads.wants("args", name):
            continue
        yield with_argument(sample, name, ABSENT)
        near_by = near.to(args[name]) if args.get(name) is not None else near.named(None)
        for value in near_by:
            yield with_argument(sample, name, value)
        for schema in declared.get(name, [{}]):
            for value in values_of(schema, args.get(name)):
                yield with_argument(sample, name, value)
    yield with_argument(sample, "another", OTHER)


def _facts_of(sample: Sample, compiled: Compiled, near: Near, reads: Reads) -> Iterator[Sample]:
    answers = dict(sample.facts.answers)
    for loaded in compiled.policies.policies:
        for name, fact in loaded.policy.facts.items():
            if not reads.wants("facts", name):
                continue
            value = answers.get(name)
            for other in near.to(value):
                yield with_fact(sample, name, other)
            for other in values_of(fact.schema_, value):
                yield with_fact(sample, name, other)
            rest = {key: item for key, item in answers.items() if key != name}
            yield replace(sample, facts=replace(sample.facts, answers=rest))


def _session_of(sample: Sample, compiled: Compiled) -> Iterator[Sample]:
    session = sample.facts.session
    if session is None:
        return
    labels = {
        label
        for loaded in compiled.policies.policies
        for entry in (loaded.policy.tools or {}).values()
        for label in entry.labels
    }
    for label in sorted(labels):
        changed = session.labels ^ {label}
        yield replace(
            sample,
            facts=replace(sample.facts, session=replace(session, labels=frozenset(changed))),
        )
    yield replace(sample, facts=replace(sample.facts, session=Session(started=session.started)))
    for tool in session.calls:
        calls = Calls({name: n for name, n in session.calls.items() if name != tool})
        yield replace(sample, facts=replace(sample.facts, session=replace(session, calls=calls)))
    yield replace(sample, facts=replace(sample.facts, session=None))


def _called(sample: Sample, near: Near) -> Iterator[Sample]:
    """Let the session have called what conditions name."""
    session = sample.facts.session
    if session is not None:
        for name in near.texts:
            calls = Calls({**session.calls, name: 1})
            changed = replace(session, calls=calls)
            yield replace(sample, facts=replace(sample.facts, session=changed))


def _texts_of(sample: Sample, chain: Chain, near: Near) -> Iterator[Sample]:
    request = sample.request
    bounds = [
        (piece, most)
        for rule in chain.rules
        for key, piece in _SIZES
        if isinstance(most := getattr(rule.check, key, None), int)
    ]
    for part in ("text", "result"):
        value = getattr(request, part)
        if isinstance(value, str):
            sized = (piece * n for piece, most in bounds for n in (most, most + 1))
            shown = ([{"type": "text", "text": one}, _PICTURE] for one in near.said)
            plain = (value.upper(), value + " x", "x " + value, [_PICTURE])
            for other in (*plain, *near.said, *shown, *sized):
                yield replace(sample, request=replace(request, **{part: other}))  # type: ignore[arg-type]


def _counts_of(sample: Sample, chain: Chain) -> Iterator[Sample]:
    for limit in chain.limits:
        key = counter_key(limit.by, limit.keys, sample.request, sample.facts)
        if key is None:
            continue
        share = (limit.alert_at or 0) * limit.max
        for used in (limit.max, limit.max - 1, limit.max + 1, limit.max - 0.5, share, share - 1):
            counters = {**sample.facts.counters, (limit.name, key): Count(max(0.0, used))}
            yield replace(sample, facts=replace(sample.facts, counters=counters))


def _people_of(sample: Sample, compiled: Compiled, reads: Reads) -> Iterator[Sample]:
    request = sample.request
    principal = dict(request.principal or {})
    for agent in (None, OTHER) if reads.wants("agent") else ():
        yield replace(sample, request=replace(request, agent=agent))
    if reads.wants("principal"):
        for key, value in _PEOPLE:
            changed = {**principal, key: value}
            yield replace(sample, request=replace(request, principal=changed))
        yield replace(sample, request=replace(request, principal=None))
    now = sample.facts.now
    if now is not None and reads.wants("now"):
        for hour in range(24):
            yield replace(sample, facts=replace(sample.facts, now=now.replace(hour=hour)))
    for loaded in compiled.policies.policies:
        yield from _declared_of(sample, loaded.policy, reads)


def _declared_of(sample: Sample, policy: Policy, reads: Reads) -> Iterator[Sample]:
    request = sample.request
    principal, context = dict(request.principal or {}), dict(request.context or {})
    for name, schema in policy.attrs.items() if reads.wants("principal", "attrs") else ():
        attrs = dict(principal.get("attrs") or {})
        for value in values_of(schema, attrs.get(name)):
            changed = {**principal, "attrs": {**attrs, name: value}}
            yield replace(sample, request=replace(request, principal=changed))
    for name, schema in policy.context.items():
        for value in values_of(schema, context.get(name)) if reads.wants("context", name) else ():
            changed = {**context, name: value}
            yield replace(sample, request=replace(request, context=changed))
