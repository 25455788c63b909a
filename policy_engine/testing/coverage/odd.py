"""Requests that lack things, hold things of the wrong type, or what a check looks for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any, Final

from policy_engine.cel import Condition
from policy_engine.compiler import CompiledLimit, CompiledRule
from policy_engine.decision import NO_FACTS, Request
from policy_engine.lint.proof.regexes import sample as texts_of
from policy_engine.testing.search.near import literals_of
from policy_engine.testing.search.pairs import with_each
from policy_engine.testing.search.sample import ABSENT, Sample, held_in, with_argument
from policy_engine.testing.search.values import plain, values_of

__all__ = ["joined", "key_can_lack", "odd", "texts"]

_PICTURE: Final = {"type": "image", "source": {"type": "base64", "data": "AAAA"}}
_WRONG: Final[tuple[Any, ...]] = (
    *({"unlike": [1]}, [], [{}], ["mallory"], [7], [None], [[]], "mallory", "", 7, 0, -1.5, True),
    None,
)
_PEOPLE: Final = ("id", "roles", "tenant", "attrs")
_FEW: Final = 8
_MANY: Final = 300
"""So many values are written as JSON."""
_LONG: Final = 2_000_000
"""A longer text is not made up."""


def odd(rule: CompiledRule, check: Mapping[str, Any], seed: Sample) -> Iterator[Sample]:
    """Yield a request, and others that differ from it in what a rule cannot tell, or looks for.

    Args:
        rule: The rule.
        check: The kind of its check and its options.
        seed: A request that meets it.
    """
    yield seed
    yield from _texts(rule, check, seed)
    reads = frozenset() if rule.condition is None else rule.condition.reads
    request, facts = seed.request, seed.facts
    for name in sorted({path[1] for path in reads if path[0] == "args" and len(path) > 1}):
        yield with_argument(seed, name, ABSENT)
    if facts.answers:
        for name in facts.answers:
            rest = {key: value for key, value in facts.answers.items() if key != name}
            yield replace(seed, facts=replace(facts, answers=rest))
        yield replace(seed, facts=replace(facts, answers={}))
    yield replace(seed, request=replace(request, session=None), facts=replace(facts, session=None))
    for part in ("agent", "principal", "context"):
        yield replace(seed, request=replace(request, **{part: None}))  # type: ignore[arg-type]
    for key in _PEOPLE:
        principal = {name: it for name, it in (request.principal or {}).items() if name != key}
        yield replace(seed, request=replace(request, principal=principal))
    yield from with_each(seed, reads, _WRONG)
    yield from _cut(seed, reads)


def joined(condition: Condition, seed: Sample) -> Iterator[Sample]:
    """Yield samples in which a text is put together of what a condition names and a request holds.

    Args:
        condition: The condition.
        seed: A request that meets it.
    """
    named = [one for one in dict.fromkeys(literals_of(condition.tree)) if _is_text(one)]
    held = list(dict.fromkeys(filter(_is_text, held_in(seed, _FEW))))
    whole = [*held[:_FEW], *named[:_FEW]]
    made = dict.fromkeys((*whole, *(a + b for a in whole for b in whole)))
    more = dict.fromkeys((*made, *("x" + one for one in made)))
    reads = condition.reads
    yield from with_each(seed, reads, chain.from_iterable((one, [one]) for one in more))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _cut(seed: Sample, reads: frozenset[tuple[str, ...]]) -> Iterator[Sample]:
    """Yield samples in which what a condition reads is cut off above its end."""
    above = {path[:i] for path in reads for i in range(2, len(path))}
    yield from with_each(seed, above, _WRONG)


def _texts(rule: CompiledRule, check: Mapping[str, Any], seed: Sample) -> Iterator[Sample]:
    if rule.check is None:
        return
    request = seed.request
    for value in (*texts(check), [_PICTURE]):
        if request.stage == "tool_call":
            yield from _said(rule, seed, value)
        else:
            part = "result" if request.stage == "tool_result" else "text"
            yield replace(seed, request=replace(request, **{part: value}))


def _said(rule: CompiledRule, seed: Sample, value: Any) -> Iterator[Sample]:
    """Yield calls that say something where a rule reads."""
    if rule.reads:
        paths = [("args", *path) for path in rule.reads.values()]
        for path in paths:
            yield from with_each(_without(seed, path[1]), [path], [value])
            yield from with_each(seed, [path], [value])
        return
    args = seed.request.args or {}
    named = [name for name, given in args.items() if isinstance(given, str)]
    yield with_argument(seed, named[0] if named else "text", value)
    yield replace(seed, request=replace(seed.request, args={}))


def _without(seed: Sample, name: str) -> Sample:
    return with_argument(seed, name, ABSENT)


def texts(check: Mapping[str, Any]) -> Iterator[Any]:
    """Yield texts that a check looks for, and some that it does not.

    Args:
        check: A kind of check and its options.
    """
    yield from ("", "Hello", "x", "0")
    terms, pattern = check.get("terms"), check.get("pattern")
    yield from () if terms is None else terms.any
    for one in () if pattern is None else pattern.any:
        yield from texts_of(one)
        yield from (text.upper() for text in texts_of(one))
    size = check.get("size")
    for key, unit in (("max_chars", "a"), ("max_bytes", "a"), ("max_lines", "a\n")):
        most = getattr(size, key, None)
        if most is not None and most < _LONG:
            yield from (unit * most, unit * (most + 1))
            yield "é" * (most // 2 + 1)
    if "json" in check:
        yield from ("{", "[1", "7", "[]", "{}")
        schema = check["json"].schema_
        first = plain(schema)
        for value in (first, *islice(values_of(schema, first), _MANY)):
            yield json.dumps(value)


def key_can_lack(limit: CompiledLimit) -> bool:
    """Tell whether a request may lack what a limit counts by, or how much it counts."""
    bare = Request(stage="tool_call", tool="tool", args={}, target="target", model="model")
    return limit.need(bare, NO_FACTS) is None or limit.unit != "calls"
