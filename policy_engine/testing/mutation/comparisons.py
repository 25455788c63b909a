"""Comparisons of a condition that are one step off."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, TypeAlias

from policy_engine.cel import BOOL, DOUBLE, DURATION, INT, STRING, TIMESTAMP, UINT, ListType, Type
from policy_engine.cel.nodes import Call, Conditional, ListItems, Literal, Node, Not
from policy_engine.cel.values import Uint
from policy_engine.testing.mutation.absent import absent
from policy_engine.testing.mutation.lists import Listed, membership, other_than, tables
from policy_engine.testing.mutation.searched import (
    AFFIXES,
    NETWORKS,
    affix,
    network,
    pattern,
    unfolded,
)
from policy_engine.testing.mutation.wording import quoted, shown
from policy_engine.testing.search.sample import OTHER

__all__ = ["changed_call"]

_STRICT: Final = {">=": ">", "<=": "<"}
_LOOSE: Final = {">": ">=", "<": "<="}
_MIRRORED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
_SECOND: Final = 'duration("1s")'
_Changes: TypeAlias = Iterator[tuple[Node, str]]


def changed_call(node: Call, text: str, listed: Listed, *, matches: bool) -> _Changes:
    """Yield changes of a call that is true or false."""
    if node.function in _MIRRORED:
        yield from _comparison(node, text, matches=matches)
        yield from absent(node, matches=matches)
        return
    if node.function in ("==", "!="):
        yield from _equality(node, listed, matches=matches)
    elif node.function == "in":
        yield from membership(node, listed, matches=matches)
    elif node.function in AFFIXES:
        yield from affix(node, text, matches=matches)
    elif node.function == "matches":
        yield from pattern(node, matches=matches)
    elif node.function in NETWORKS:
        yield from network(node, matches=matches)
    elif node.function == "orValue":
        yield from _default(node, matches=matches)
    if node.function in ("==", "!=", "in"):
        yield from absent(node, matches=matches)
    if matches:
        yield from unfolded(node, text)


def _default(node: Call, *, matches: bool) -> _Changes:
    """Turn what stands for a value that is not there around."""
    given, written = node.arguments
    if isinstance(written, Literal) and written.value is matches:
        changed = replace(written, value=not matches)
        what = f"what is not there counts as {str(not matches).lower()}"
        yield replace(node, arguments=(given, changed)), what


def _comparison(node: Call, text: str, *, matches: bool) -> _Changes:
    """Move a bound so that the rule matches less: by one, or over its own value."""
    first, second = node.arguments
    swap = (_STRICT if matches else _LOOSE).get(node.function)
    if swap is not None:
        yield replace(node, function=swap), f"`{shown(node, text)}` compares with {swap}"
        return
    up = (node.function[0] == ">") is matches
    for at, side, rises in ((1, second, up), (0, first, not up)):
        found = list(_moved(side, up=rises))
        for changed, what in found:
            arguments = (first, changed) if at else (changed, second)
            yield replace(node, arguments=arguments), what
        if found:
            return
    yield from _shifted(node, text, up=up)
    for at, side, rises in ((1, second, up), (0, first, not up)):
        for changed, what in _scaled(side, up=rises):
            arguments = (first, changed) if at else (changed, second)
            yield replace(node, arguments=arguments), what


def _moved(side: Node, *, up: bool) -> _Changes:
    """Move a bound that is written out, or each of those that a constant map holds."""
    if isinstance(side, Literal):
        after = _next(side.value, up=up)
        if after is not None:
            yield replace(side, value=after), f"the bound {quoted(side.value)} is {quoted(after)}"
        return
    if isinstance(side, Conditional):
        for changed, what in _moved(side.then, up=up):
            yield replace(side, then=changed), what
        for changed, what in _moved(side.otherwise, up=up):
            yield replace(side, otherwise=changed), what
        return
    for key, held, put in tables(side):
        after = _next(held.value, up=up)
        if after is not None:
            what = f"the bound {quoted(held.value)} of {key} is {quoted(after)}"
            yield put(replace(held, value=after)), what


def _scaled(side: Node, *, up: bool) -> _Changes:
    """Move what something is multiplied with, or divided by, as if all of it were positive."""
    match side:
        case Call(function="*" | "/" | "+" | "-" as sign, arguments=(left, right)):
            scales = sign in ("*", "/")
            for changed, what in _factor(left, scales=scales, up=up):
                yield replace(side, arguments=(changed, right)), what
            for changed, what in _factor(right, scales=scales, up=up is (sign in ("*", "+"))):
                yield replace(side, arguments=(left, changed)), what


def _factor(part: Node, *, scales: bool, up: bool) -> _Changes:
    if not isinstance(part, Literal):
        yield from _scaled(part, up=up)
        return
    after = _next(part.value, up=up) if scales and not isinstance(part.value, str) else None
    if after:
        what = f"the factor {quoted(part.value)} is {quoted(after)}"
        yield replace(part, value=after), what


def _next(value: Any, *, up: bool) -> Any:
    """Return what comes after a bound, or before it; None where that is not clear."""
    step = 1 if up else -1
    if isinstance(value, str) and value:
        return value[:-1] + chr(min(max(32, ord(value[-1]) + step), sys.maxunicode))
    if type(value) is Uint:
        return Uint(value + step) if value + step >= 0 else None
    return value + step if type(value) in (int, float) else None


def _shifted(node: Call, text: str, *, up: bool) -> _Changes:
    """Move what something is compared with by one, where it is no constant."""
    first, second = node.arguments
    kind: Type | None = getattr(second, "type", None)
    one = _one(second, kind)
    if one is None:
        return
    sign = "+" if up else "-"
    moved = Call(second.start, second.end, sign, (second, one), type=kind or one.type)
    written, step = shown(second, text), _SECOND if kind in (DURATION, TIMESTAMP) else "1"
    yield (
        replace(node, arguments=(first, moved)),
        f"`{written}` is `{written} {sign} {step}`",
    )


def _one(near: Node, kind: Type | None) -> Literal | Call | None:
    """Return by how much what something is compared with is moved."""
    start, end = near.start, near.end
    if kind in (DURATION, TIMESTAMP):
        return Call(start, end, "duration", (Literal(start, end, "1s", STRING),), type=DURATION)
    if kind == UINT:
        return Literal(start, end, Uint(1), UINT)
    if kind in (INT, DOUBLE):
        return Literal(start, end, 1 if kind == INT else 1.0, kind)
    return None


def _equality(node: Call, listed: Listed, *, matches: bool) -> _Changes:
    """Let one value more through: `x != "a"` is `x != "a" && x != "b"`."""
    if (node.function == "!=") is not matches:
        return
    first, second = node.arguments
    value, constant = (first, second) if isinstance(second, Literal) else (second, first)
    if not isinstance(constant, Literal):
        return
    if not isinstance(constant.value, str) and type(constant.value) not in (int, float):
        return
    made: Any = OTHER if isinstance(constant.value, str) else constant.value + 1  # type: ignore[operator]
    other = other_than([constant.value], listed(value), made)
    if other is None:
        return
    items = ListItems(
        constant.start,
        constant.end,
        (constant, replace(constant, value=other)),
        type=ListType(constant.type),
    )
    among = Call(node.start, node.end, "in", (value, items), type=BOOL)
    changed: Node = among if node.function == "==" else Not(node.start, node.end, among, BOOL)
    yield changed, f"{quoted(other)} is let through like {quoted(constant.value)}"
