"""Comparisons, lists and searched texts of a condition that are one step off."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from policy_engine.cel import BOOL, DOUBLE, INT, STRING, ListType
from policy_engine.cel.nodes import Call, ListItems, Literal, Node, Not
from policy_engine.cel.values import List
from policy_engine.testing.mutation.keywords import OTHER
from policy_engine.testing.mutation.patterns import loosened_pattern, tightened_pattern

__all__ = ["Listed", "changed_call", "shown"]

Listed: TypeAlias = Callable[[Node], Sequence[Any]]
"""Returns the values that a policy lists for what a node reads; empty where it lists none."""

_STRICT: Final = {">=": ">", "<=": "<"}
_LOOSE: Final = {">": ">=", "<": "<="}
_AFFIXES: Final = frozenset({"startsWith", "endsWith", "contains"})
_MIRRORED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
_FOLDING: Final = frozenset({"lowerAscii", "upperAscii", "trim"})
_Changes: TypeAlias = Iterator[tuple[Node, str]]


def changed_call(node: Call, text: str, listed: Listed, *, matches: bool) -> _Changes:
    """Yield changes of a call that is true or false."""
    if node.function in _MIRRORED:
        yield from _comparison(node, text, matches=matches)
    elif node.function in ("==", "!="):
        yield from _equality(node, listed, matches=matches)
    elif node.function == "in":
        yield from _membership(node, listed, matches=matches)
    elif node.function in _AFFIXES:
        yield from _affix(node, matches=matches)
    elif node.function == "matches":
        yield from _pattern(node, matches=matches)
    if matches and node.function not in _MIRRORED:
        yield from _unfolded(node, text)


def shown(node: Node, text: str) -> str:
    """Return how a part of a condition is written, in one line and shortened."""
    written = " ".join(text[node.start : node.end].split())
    return written if len(written) <= 60 else written[:59] + "…"


def _comparison(node: Call, text: str, *, matches: bool) -> _Changes:
    """Move a bound so that the rule matches less: by one, or over its own value."""
    function = node.function
    first, second = node.arguments
    swap = (_STRICT if matches else _LOOSE).get(function)
    if swap is not None:
        yield replace(node, function=swap), f"`{shown(node, text)}` compares with {swap}"
        return
    greater = function[0] == ">"
    if _is_number(second):
        moved = _moved(second, up=greater is matches)
        yield replace(node, arguments=(first, moved)), _bound(second, moved)
    elif _is_number(first):
        moved = _moved(first, up=greater is not matches)
        yield replace(node, arguments=(moved, second)), _bound(first, moved)
    else:
        yield from _shifted(node, text, up=greater is matches)


def _shifted(node: Call, text: str, *, up: bool) -> _Changes:
    """Move what something is compared with by one, where it is no constant."""
    first, second = node.arguments
    kind = getattr(second, "type", None)
    if kind not in (INT, DOUBLE):
        return
    one = Literal(second.start, second.end, 1 if kind == INT else 1.0, kind)
    sign = "+" if up else "-"
    moved = Call(second.start, second.end, sign, (second, one), type=kind)
    yield (
        replace(node, arguments=(first, moved)),
        f"`{shown(second, text)}` is `{shown(second, text)} {sign} 1`",
    )


def _is_number(node: Node) -> bool:
    return isinstance(node, Literal) and type(node.value) in (int, float)


def _moved(node: Node, *, up: bool) -> Literal:
    assert isinstance(node, Literal)  # noqa: S101 - asked before
    return replace(node, value=node.value + (1 if up else -1))  # type: ignore[operator]


def _bound(before: Node, after: Node) -> str:
    assert isinstance(before, Literal)  # noqa: S101 - asked before
    assert isinstance(after, Literal)  # noqa: S101 - asked before
    return f"the bound {before.value} is {after.value}"


def _equality(node: Call, listed: Listed, *, matches: bool) -> _Changes:
    """Let one value more through: `x != "a"` is `x != "a" && x != "b"`."""
    if (node.function == "!=") is not matches:
        return
    first, second = node.arguments
    value, constant = (first, second) if isinstance(second, Literal) else (second, first)
    if not isinstance(constant, Literal) or not isinstance(constant.value, str):
        return
    known = [one for one in listed(value) if isinstance(one, str)]
    other = next((one for one in known if one != constant.value), None if known else OTHER)
    if other is None:
        return
    items = ListItems(
        constant.start,
        constant.end,
        (constant, replace(constant, value=other)),
        type=ListType(STRING),
    )
    among = Call(node.start, node.end, "in", (value, items), type=BOOL)
    changed: Node = among if node.function == "==" else Not(node.start, node.end, among, BOOL)
    yield changed, f'"{other}" is let through like "{constant.value}"'


def _membership(node: Call, listed: Listed, *, matches: bool) -> _Changes:
    """Change a list so that the rule matches less."""
    item, over = node.arguments
    found = _items(over)
    if found is None:
        return
    if matches and len(found) > 1:
        for i, one in enumerate(found):
            what = json.dumps(one.value) if isinstance(one, Literal) else "an item"
            rest = (*found[:i], *found[i + 1 :])
            yield (
                replace(node, arguments=(item, _relisted(over, rest))),
                f"{what} is not in the list",
            )
    literals = [one for one in found if isinstance(one, Literal)]
    if not matches and literals and isinstance(literals[0].value, str):
        values = [one.value for one in literals]
        other = next((one for one in listed(item) if one not in values), OTHER)
        more = (*found, replace(literals[0], value=other))
        yield (
            replace(node, arguments=(item, _relisted(over, more))),
            f'"{other}" is in the list',
        )


def _items(over: Node) -> tuple[Node, ...] | None:
    """Return the items of a list that is written out, or is one of the policy's constants."""
    if isinstance(over, ListItems) and not over.optionals:
        return over.items
    if isinstance(over, Literal) and isinstance(over.value, List):
        kind = getattr(over.type, "element", over.type)
        return tuple(Literal(over.start, over.end, value, kind) for value in over.value)
    return None


def _relisted(over: Node, items: tuple[Node, ...]) -> Node:
    if isinstance(over, ListItems):
        return replace(over, items=items)
    assert isinstance(over, Literal)  # noqa: S101 - nothing else has items
    return replace(over, value=List(one.value for one in items if isinstance(one, Literal)))


def _affix(node: Call, *, matches: bool) -> _Changes:
    """Shorten, or lengthen, what a text must begin with, end with or contain."""
    sought = node.arguments[1]
    at_end = node.function == "endsWith"
    place, inner = _outermost(sought, at_end=at_end)
    if inner is None or not isinstance(inner.value, str) or not inner.value:
        return
    before = inner.value
    if matches:
        after = f"{OTHER}{before}" if at_end else f"{before}{OTHER}"
        if isinstance(sought, Call):
            return
    else:
        after = before[1:] if at_end else before[:-1]
    changed = _put(sought, place, replace(inner, value=after))
    yield (
        replace(node, arguments=(node.arguments[0], changed)),
        f"{node.function}({json.dumps(before)}) is {node.function}({json.dumps(after)})",
    )


def _outermost(node: Node, *, at_end: bool) -> tuple[tuple[int, ...], Literal | None]:
    """Find the literal that a text made of several pieces begins with, or ends with."""
    if isinstance(node, Literal):
        return (), node
    if isinstance(node, Call) and node.function == "+":
        for at in (0, 1) if at_end else (1, 0):
            place, found = _outermost(node.arguments[at], at_end=at_end)
            if found is not None:
                return (at, *place), found
    return (), None


def _put(node: Node, place: tuple[int, ...], new: Node) -> Node:
    if not place:
        return new
    assert isinstance(node, Call)  # noqa: S101 - that is where the place was found
    at, rest = place[0], place[1:]
    arguments = (
        *node.arguments[:at],
        _put(node.arguments[at], rest, new),
        *node.arguments[at + 1 :],
    )
    return replace(node, arguments=arguments)


def _pattern(node: Call, *, matches: bool) -> _Changes:
    """Loosen the pattern that a text must match, or tighten one that it may not."""
    value, sought = node.arguments
    if isinstance(sought, Literal) and isinstance(sought.value, str):
        change = tightened_pattern if matches else loosened_pattern
        for after, what in change(sought.value):
            if after:
                yield replace(node, arguments=(value, replace(sought, value=after))), what


def _unfolded(node: Call, text: str) -> _Changes:
    """Take what a text is folded by before it is compared away."""
    for i, argument in enumerate(node.arguments):
        if isinstance(argument, Call) and argument.function in _FOLDING:
            rest = (*node.arguments[:i], argument.arguments[0], *node.arguments[i + 1 :])
            what = f"`{argument.function}()` of `{shown(argument.arguments[0], text)}` is gone"
            yield replace(node, arguments=rest), what
