"""What comparisons of doubles rule out by the intervals of their sides.

Sums, differences and products of doubles round, and rounding keeps the order: what is computed
from the ends of two intervals bounds what is computed from anything between them.
"""

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from policy_engine.cel import DOUBLE, INT
from policy_engine.cel.nodes import Call, Node
from policy_engine.lint.proof.formula import Clause, Term, constant, term
from policy_engine.lint.proof.values import Values

__all__ = ["is_out_of_bounds", "whole_interval"]

_EXACT: Final = 2**53
"""Up to here every whole number is a double."""
_LARGEST: Final = 2**63 - 1
"""No whole number that is calculated is larger."""
Interval: TypeAlias = tuple[float, float]
_OPPOSITE: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_SENSE: Final = frozenset({"<", ">", "=="})
"""Comparisons that a part which is not understood says, rather than their opposite."""


def is_out_of_bounds(clause: Clause, base: Callable[[Term], Values]) -> bool:
    """Whether a comparison that is not understood otherwise certainly does not come out so."""
    node = clause.node
    if not isinstance(node, Call) or node.function not in _OPPOSITE or len(node.arguments) != 2:
        return False
    left, right = (_interval(part, base) for part in node.arguments)
    if left is None or right is None:
        return False
    holds = clause.holds is (node.function in _SENSE)
    said = node.function if holds else _OPPOSITE[node.function]
    match said:
        case "<":
            return left[0] >= right[1]
        case "<=":
            return left[0] > right[1]
        case ">":
            return left[1] <= right[0]
        case ">=":
            return left[1] < right[0]
        case "==":
            return left[0] > right[1] or left[1] < right[0]
    return left[0] == left[1] == right[0] == right[1]


def _interval(node: Node, base: Callable[[Term], Values]) -> Interval | None:
    value = constant(node)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (float(value), float(value)) if abs(value) <= _EXACT else None
    kind = getattr(node, "type", None)
    path = term(node)
    if path is not None and kind in {DOUBLE, INT}:
        values = base(path)
        low, high = values.lowest[0], values.highest[0]
        return (low, high) if max(abs(low), abs(high)) <= _EXACT else None
    if not isinstance(node, Call) or kind != DOUBLE or len(node.arguments) != 2:
        return None
    sides = [_interval(part, base) for part in node.arguments]
    if sides[0] is None or sides[1] is None:
        return None
    (a, b), (c, d) = sides[0], sides[1]
    match node.function:
        case "+":
            found = [a + c, b + d]
        case "-":
            found = [a - d, b - c]
        case "*":
            found = [a * c, a * d, b * c, b * d]
        case _:
            return None
    return (min(found), max(found)) if all(map(math.isfinite, found)) else None


def whole_interval(node: Node, base: Callable[[Term], Values]) -> tuple[int, int] | None:
    """Return between which whole numbers a calculation yields one; None where it may not."""
    found = _whole(node, base)
    return found if found is not None and max(map(abs, found)) <= _LARGEST else None


def _whole(node: Node, base: Callable[[Term], Values]) -> tuple[int, int] | None:
    value = constant(node)
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    if getattr(node, "type", None) != INT:
        return None
    path = term(node)
    if path is not None:
        low, high = base(path).lowest[0], base(path).highest[0]
        is_finite = low >= -_LARGEST and high <= _LARGEST
        return (math.floor(low), math.ceil(high)) if is_finite else None
    if not isinstance(node, Call) or len(node.arguments) != 2:
        return None
    sides = [whole_interval(part, base) for part in node.arguments]
    if sides[0] is None or sides[1] is None:
        return None
    (a, b), (c, d) = sides[0], sides[1]
    match node.function:
        case "+":
            return a + c, b + d
        case "-":
            return a - d, b - c
        case "*":
            found = [a * c, a * d, b * c, b * d]
            return min(found), max(found)
        case "/" | "%" if c > 0 or d < 0:
            most = max(abs(a), abs(b))
            return -most, most
    return None
