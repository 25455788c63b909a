"""Arithmetic: 64-bit integers that never wrap, doubles, times, and joining."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from policy_engine.cel.meter import Meter
from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import LISTS, NANOSECONDS, elements
from policy_engine.cel.values import (
    INT_MAX,
    INT_MIN,
    UINT_MAX,
    Duration,
    List,
    Timestamp,
    Uint,
)

__all__ = ["add", "divide", "modulo", "multiply", "negate", "subtract"]

TIMESTAMP_MIN: Final = -62_135_596_800 * NANOSECONDS
TIMESTAMP_MAX: Final = 253_402_300_800 * NANOSECONDS - 1
DURATION_MAX: Final = 315_576_000_000 * NANOSECONDS


def overflow() -> int:
    """Refuse an integer of more than 64 bits."""
    raise EvaluationError("an integer of more than 64 bits")


def to_int(value: int) -> int:
    """Return an integer that fits 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    return overflow()


def to_uint(value: int) -> Uint:
    """Return an unsigned integer that fits 64 bits."""
    if 0 <= value <= UINT_MAX:
        return Uint(value)
    raise EvaluationError("an unsigned integer out of range")


def to_timestamp(value: int) -> Timestamp:
    """Return an instant between the years 1 and 9999."""
    if TIMESTAMP_MIN <= value <= TIMESTAMP_MAX:
        return Timestamp(value)
    raise EvaluationError("a timestamp out of range")


def to_duration(value: int) -> Duration:
    """Return a duration of at most about 10,000 years."""
    if -DURATION_MAX <= value <= DURATION_MAX:
        return Duration(value)
    raise EvaluationError("a duration out of range")


def _float(value: float) -> float:
    return value


_Kinds = tuple[type, type]
_SUMS: Mapping[_Kinds, Callable[[Any], object]] = MappingProxyType(
    {
        (int, int): to_int,
        (Uint, Uint): to_uint,
        (float, float): _float,
        (int, float): _float,
        (float, int): _float,
        (Timestamp, Duration): to_timestamp,
        (Duration, Timestamp): to_timestamp,
        (Duration, Duration): to_duration,
    }
)
_DIFFERENCES: Mapping[_Kinds, Callable[[Any], object]] = MappingProxyType(
    {
        (int, int): to_int,
        (Uint, Uint): to_uint,
        (float, float): _float,
        (int, float): _float,
        (float, int): _float,
        (Timestamp, Duration): to_timestamp,
        (Timestamp, Timestamp): lambda value: to_duration(to_int(value)),
        (Duration, Duration): to_duration,
    }
)
_PRODUCTS: Mapping[_Kinds, Callable[[Any], object]] = MappingProxyType(
    {
        (int, int): to_int,
        (Uint, Uint): to_uint,
        (float, float): _float,
        (int, float): _float,
        (float, int): _float,
    }
)


def _found(
    table: Mapping[_Kinds, Callable[[Any], object]], first: object, second: object
) -> Callable[[Any], object]:
    finish = table.get((type(first), type(second)))
    if finish is None:
        raise EvaluationError("no arithmetic between these")
    return finish


def add(meter: Meter, first: Any, second: Any) -> object:
    """Return first + second; strings, bytes and lists are joined."""
    finish = _SUMS.get((type(first), type(second)))
    if finish is not None:
        return finish(first + second)
    kind = type(first)
    if (kind is str or kind is bytes) and type(second) is kind:
        meter.grow(len(first) + len(second))
        return first + second
    if kind in LISTS and type(second) in LISTS:
        meter.grow(len(first) + len(second))
        return List((*elements(first), *elements(second)))
    raise EvaluationError("no sum of these")


def subtract(first: Any, second: Any) -> object:
    """Return first - second."""
    return _found(_DIFFERENCES, first, second)(first - second)


def multiply(first: Any, second: Any) -> object:
    """Return first * second."""
    return _found(_PRODUCTS, first, second)(first * second)


def divide(first: Any, second: Any) -> object:
    """Return first / second; integers are cut towards zero, doubles follow IEEE 754."""
    finish = _found(_PRODUCTS, first, second)
    if finish is _float:
        return divide_double(float(first), float(second))
    if second == 0:
        raise EvaluationError("division by zero")
    quotient = abs(first) // abs(second)
    return finish(quotient if (first < 0) == (second < 0) else -quotient)


def divide_double(first: float, second: float) -> float:
    """Divide as IEEE 754 does, where a division by zero is infinite or not a number."""
    if second == 0.0:
        if first == 0.0 or first != first:  # noqa: PLR0124 - not a number differs from itself
            return float("nan")
        negative = (first < 0) != (str(second)[0] == "-")
        return float("-inf") if negative else float("inf")
    return first / second


def modulo(first: Any, second: Any) -> object:
    """Return the remainder of an integer division, with the sign of the dividend."""
    finish = _found(_PRODUCTS, first, second)
    if finish is _float:
        raise EvaluationError("no remainder of doubles")
    if second == 0:
        raise EvaluationError("division by zero")
    remainder = abs(first) % abs(second)
    return finish(-remainder if first < 0 else remainder)


def negate(value: Any) -> object:
    """Return -value."""
    kind = type(value)
    if kind is int:
        return to_int(-value)
    if kind is float:
        return -value
    if kind is Duration:
        return to_duration(-value)
    raise EvaluationError("no negative of this")
