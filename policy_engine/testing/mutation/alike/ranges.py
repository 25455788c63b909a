"""Between which numbers the result of a part of a condition lies."""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from policy_engine.lint.proof.values import Values

__all__ = ["Range", "calculated", "compared", "range_of", "written"]

_EXACT: Final = 2**53
"""Up to here every whole number is a double."""
_CALCULATED: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from one to another."""

    low: float
    high: float
    low_open: bool = False
    """Whether the lowest is none of them."""
    high_open: bool = False


def range_of(values: Values) -> Range:
    """Return between which numbers the numbers among some values lie."""
    (low, low_open), (high, high_open) = values.lowest, values.highest
    return Range(low, high, low_open, high_open)


def written(value: object) -> Range | None:
    """Return the range of a constant; None for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Range(value, value) if abs(value) <= _EXACT else None


def calculated(function: str, left: Range, right: Range) -> Range | None:
    """Return between which numbers a result lies; None where that is not known."""
    calculate = _CALCULATED.get(function)
    ends = (left.low, left.high, right.low, right.high)
    if calculate is None or not all(map(math.isfinite, ends)):
        return None
    pairs = product((left.low, left.high), (right.low, right.high))
    # Rounding keeps the order, so the results of the ends bound the results between.
    made = [calculate(float(a), float(b)) for a, b in pairs]
    return Range(min(made), max(made)) if max(map(abs, made)) <= _EXACT else None


def compared(function: str, left: Range, right: Range) -> frozenset[bool]:
    """Return what a comparison can come to."""
    orders = set()
    if left.low < right.high:
        orders.add(-1)
    if left.high > right.low:
        orders.add(1)
    if _may_be_equal(left, right):
        orders.add(0)
    return frozenset(_SAID[function](order, 0) for order in orders)


def _may_be_equal(left: Range, right: Range) -> bool:
    for one, other in ((left, right), (right, left)):
        if one.high < other.low:
            return False
        if one.high == other.low and (one.high_open or other.low_open):
            return False
    return True


_SAID: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
