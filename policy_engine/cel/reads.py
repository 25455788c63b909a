"""Code that reads one value of a request and checks it, inline for the usual types."""

import ast
from collections.abc import Callable

from policy_engine.cel.code import (
    both,
    call,
    choose,
    compare,
    constant,
    either,
    keep,
    name,
)
from policy_engine.cel.reading import EXACT_FLOAT
from policy_engine.cel.types import BOOL, DOUBLE, DYN, INT, STRING, Type
from policy_engine.cel.values import INT_MAX, INT_MIN

__all__ = ["checked_int", "inline_check"]

# One name serves every read: its value is used at once, before anything else is evaluated.
_VALUE = "v"
_KIND = "k"


def _is_kind(value: ast.expr, kind: str) -> ast.expr:
    return compare(call("_type", value), ast.Is(), name(kind))


def _string(value: ast.expr) -> ast.expr:
    test = _is_kind(keep(_VALUE, value), "_str")
    return choose(test, name(_VALUE), call("_mismatch", name(_VALUE)))


def _bool(value: ast.expr) -> ast.expr:
    test = either(
        compare(keep(_VALUE, value), ast.Is(), constant(True)),
        compare(name(_VALUE), ast.Is(), constant(False)),
    )
    return choose(test, name(_VALUE), call("_mismatch", name(_VALUE)))


def _within(value: ast.expr, low: int, high: int) -> ast.expr:
    return compare(constant(low), ast.LtE(), value, ast.LtE(), constant(high))


def _int(value: ast.expr) -> ast.expr:
    test = both(_is_kind(keep(_VALUE, value), "_int"), _within(name(_VALUE), INT_MIN, INT_MAX))
    return choose(test, name(_VALUE), call("_as_int", name(_VALUE)))


def _is_finite() -> ast.expr:
    difference = ast.BinOp(name(_VALUE), ast.Sub(), name(_VALUE))
    return compare(difference, ast.Eq(), constant(0.0))


def _double(value: ast.expr) -> ast.expr:
    test = both(_is_kind(keep(_VALUE, value), "_float"), _is_finite())
    return choose(test, name(_VALUE), call("_as_double", name(_VALUE)))


def _number(value: ast.expr) -> ast.expr:
    """Read a double to compare it: an integer that is a double exactly may stay one."""
    kind = keep(_KIND, call("_type", keep(_VALUE, value)))
    test = either(
        both(compare(kind, ast.Is(), name("_float")), _is_finite()),
        both(
            compare(name(_KIND), ast.Is(), name("_int")),
            _within(name(_VALUE), -EXACT_FLOAT, EXACT_FLOAT),
        ),
    )
    return choose(test, name(_VALUE), call("_mismatch", name(_VALUE)))


_INLINE: dict[Type, Callable[[ast.expr], ast.expr]] = {
    STRING: _string,
    BOOL: _bool,
    INT: _int,
    DOUBLE: _double,
}


def inline_check(value: ast.expr, kind: Type, *, comparing: bool) -> ast.expr | None:
    """Return code that reads a value of a type, or None where a function has to check it."""
    if comparing and kind == DOUBLE:
        return _number(value)
    inline = _INLINE.get(kind)
    if inline is not None:
        return inline(value)
    return call("_cook", value) if kind == DYN else None


def checked_int(value: ast.expr) -> ast.expr:
    """Return code that computes an integer and refuses more than 64 bits."""
    return choose(_within(keep(_VALUE, value), INT_MIN, INT_MAX), name(_VALUE), call("_overflow"))
