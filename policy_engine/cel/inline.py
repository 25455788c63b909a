"""Operators and functions whose static types allow code of Python's own."""

import ast
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from policy_engine.cel.code import attribute, call, compare, constant, thunk
from policy_engine.cel.literals import LITERAL_MAKERS, literal_text
from policy_engine.cel.nodes import Call, ListItems, Literal, Node
from policy_engine.cel.patterns import compile_pattern
from policy_engine.cel.reads import checked_int
from policy_engine.cel.runtime import symbol
from policy_engine.cel.timestamps import find_zone
from policy_engine.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    ListType,
    Type,
)
from policy_engine.cel.values import List, Uint

__all__ = ["Emitter", "build"]

_NUMBERS = frozenset({INT, UINT, DOUBLE})
_SIMPLE = frozenset({BOOL, STRING, BYTES, TIMESTAMP, DURATION})
_COMPARISONS: Mapping[str, type[ast.cmpop]] = MappingProxyType(
    {"==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE}
)
_ARITHMETIC: Mapping[str, type[ast.operator]] = MappingProxyType(
    {"+": ast.Add, "-": ast.Sub, "*": ast.Mult}
)


class Emitter(Protocol):
    """What makes the code of a node's parts."""

    def value(self, node: Node) -> ast.expr:
        """Return code for a value."""

    def lazy(self, node: Node) -> ast.expr:
        """Return code for a value whose elements are not checked yet."""

    def number(self, node: Node) -> ast.expr:
        """Return code for a value that is only compared."""

    def hold(self, value: object) -> ast.expr:
        """Return code for a constant."""


def _type(node: Node) -> Type:
    return node.type  # type: ignore[attr-defined, no-any-return]


def build(emitter: Emitter, node: Call) -> ast.expr | None:
    """Return Python's own code for a call, or None where its function has to be called."""
    builder = _BUILDERS.get(node.function)
    return None if builder is None else builder(emitter, node)


def _compare(emitter: Emitter, node: Call) -> ast.expr | None:
    first, second = node.arguments
    kinds = {_type(first), _type(second)}
    if kinds <= _NUMBERS:
        left, right = emitter.number(first), emitter.number(second)
    elif len(kinds) == 1 and kinds <= _SIMPLE:
        left, right = emitter.value(first), emitter.value(second)
    else:
        return None
    return compare(left, _COMPARISONS[node.function](), right)


def _calculate(emitter: Emitter, node: Call) -> ast.expr | None:
    first, second = node.arguments
    kinds = {_type(first), _type(second)}
    if kinds == {INT}:
        operator = _ARITHMETIC[node.function]()
        return checked_int(ast.BinOp(emitter.value(first), operator, emitter.value(second)))
    if kinds in ({DOUBLE}, {DOUBLE, INT}):
        operator = _ARITHMETIC[node.function]()
        return ast.BinOp(emitter.value(first), operator, emitter.value(second))
    return None


def constant_items(node: Node) -> list[object] | None:
    """Return the elements of a list that is known before any run, or None."""
    if isinstance(node, Literal) and type(node.value) is List:
        return list(node.value)
    if isinstance(node, ListItems) and not node.optionals:
        items = [item.value for item in node.items if isinstance(item, Literal)]
        return items if len(items) == len(node.items) else None
    return None


def _contains(emitter: Emitter, node: Call) -> ast.expr | None:
    item, container = node.arguments
    kind = _type(container)
    known = constant_items(container)
    if known is not None:
        # Python's sets find numbers by value, as CEL does; true would be found as 1.
        if _type(item) == STRING and all(type(one) is str for one in known):
            return compare(emitter.value(item), ast.In(), constant(frozenset(known)))
        if _type(item) in _NUMBERS and all(_is_number(one) for one in known):
            plain = frozenset(int(one) if type(one) is Uint else one for one in known)
            return compare(emitter.number(item), ast.In(), constant(plain))
    if isinstance(kind, ListType) and kind.element == STRING == _type(item):
        return call("_in_strings", emitter.value(item), emitter.lazy(container))
    if isinstance(kind, ListType):
        return None
    return call("_contains", emitter.value(item), emitter.lazy(container))


def _is_number(value: object) -> bool:
    return type(value) in (int, Uint) or (type(value) is float and value == value)  # noqa: PLR0124


def _affix(emitter: Emitter, node: Call) -> ast.expr | None:
    text, affix = node.arguments
    if _type(text) == STRING == _type(affix):
        method = attribute(emitter.value(text), node.function.lower())
        return call(method, emitter.value(affix))
    return None


def _part(emitter: Emitter, node: Call) -> ast.expr | None:
    text, part = node.arguments
    if _type(text) == STRING == _type(part):
        # The text is evaluated second here, which shows in nothing: both only read.
        return compare(emitter.value(part), ast.In(), emitter.value(text))
    return None


def _size(emitter: Emitter, node: Call) -> ast.expr | None:
    kind = _type(node.arguments[0])
    if kind in (STRING, BYTES):
        return call("_len", emitter.value(node.arguments[0]))
    return call(symbol("size"), emitter.lazy(node.arguments[0]))


def _matches(emitter: Emitter, node: Call) -> ast.expr | None:
    pattern = literal_text(node, 1)
    if pattern is None or _type(node.arguments[0]) != STRING:
        return None
    compiled = emitter.hold(compile_pattern(pattern))
    return call("_search", compiled, emitter.value(node.arguments[0]))


def _made(emitter: Emitter, node: Call) -> ast.expr | None:
    text = literal_text(node, 0)
    return None if text is None else emitter.hold(LITERAL_MAKERS[node.function](text))


def _fallback(emitter: Emitter, node: Call) -> ast.expr | None:
    value, other = node.arguments
    return call(symbol(node.function), emitter.value(value), thunk(emitter.value(other)))


def _accessor(emitter: Emitter, node: Call) -> ast.expr | None:
    zone = literal_text(node, 1)
    if zone is None:
        return None
    time = emitter.value(node.arguments[0])
    return call(symbol(node.function), time, emitter.hold(find_zone(zone)))


_BUILDERS: Mapping[str, Callable[[Emitter, Call], ast.expr | None]] = MappingProxyType(
    {
        **dict.fromkeys(_COMPARISONS, _compare),
        **dict.fromkeys(_ARITHMETIC, _calculate),
        "in": _contains,
        "startsWith": _affix,
        "endsWith": _affix,
        "contains": _part,
        "size": _size,
        "matches": _matches,
        "or": _fallback,
        "orValue": _fallback,
        **dict.fromkeys(LITERAL_MAKERS, _made),
        **dict.fromkeys(
            (
                "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek",
                "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
            ),
            _accessor,
        ),
    }
)  # fmt: skip
