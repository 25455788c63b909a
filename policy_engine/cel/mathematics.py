"""The functions of `math`."""

import math
from typing import Any

from policy_engine.cel.arithmetic import to_int
from policy_engine.cel.comparison import NUMBERS
from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import LISTS, elements
from policy_engine.cel.values import UINT_MAX, Uint

__all__ = ["greatest", "least"]


def _numbers(values: tuple[object, ...]) -> list[Any]:
    if len(values) == 1 and type(values[0]) in LISTS:
        values = tuple(elements(values[0]))
    if not values or any(type(value) not in NUMBERS for value in values):
        raise EvaluationError("not numbers")
    return list(values)


def greatest(*values: object) -> object:
    """Return the greatest of some numbers, or of a list of them."""
    result, *others = _numbers(values)
    for value in others:
        result = max(result, value)
    return result


def least(*values: object) -> object:
    """Return the least of some numbers, or of a list of them."""
    result, *others = _numbers(values)
    for value in others:
        result = min(result, value)
    return result


def _double(value: object) -> float:
    if type(value) is not float:
        raise EvaluationError("not a double")
    return value


def ceil(value: object) -> float:
    """Return the smallest whole double that is not less."""
    number = _double(value)
    return float(math.ceil(number)) if math.isfinite(number) else number


def floor(value: object) -> float:
    """Return the greatest whole double that is not greater."""
    number = _double(value)
    return float(math.floor(number)) if math.isfinite(number) else number


def round_half_away(value: object) -> float:
    """Return the nearest whole double; halves go away from zero."""
    number = _double(value)
    if not math.isfinite(number):
        return number
    whole = math.floor(abs(number))
    nearest = whole + 1 if abs(number) - whole >= 0.5 else whole
    return math.copysign(float(nearest), number)


def trunc(value: object) -> float:
    """Return a double without its fraction."""
    number = _double(value)
    return float(math.trunc(number)) if math.isfinite(number) else number


def absolute(value: Any) -> object:
    """Return a number without its sign."""
    kind = type(value)
    if kind is int:
        return to_int(abs(value))
    if kind is Uint:
        return value
    return abs(_double(value))


def sign(value: Any) -> object:
    """Return -1, 0 or 1 in the type of a number."""
    kind = type(value)
    if kind is float:
        return value if value != value else float((value > 0) - (value < 0))  # noqa: PLR0124
    if kind is int:
        return (value > 0) - (value < 0)
    if kind is Uint:
        return Uint(value > 0)
    raise EvaluationError("not a number")


def square_root(value: Any) -> float:
    """Return the square root of a number; not a number below zero."""
    if type(value) not in NUMBERS:
        raise EvaluationError("not a number")
    number = float(value)
    return math.sqrt(number) if number >= 0 else math.nan


def is_nan(value: object) -> bool:
    """Say whether a double is not a number."""
    return math.isnan(_double(value))


def is_inf(value: object) -> bool:
    """Say whether a double is infinite."""
    return math.isinf(_double(value))


def is_finite(value: object) -> bool:
    """Say whether a double is a number and not infinite."""
    return math.isfinite(_double(value))


def _same_integers(first: Any, second: Any) -> type:
    kind = type(first)
    if (kind is int or kind is Uint) and type(second) is kind:
        return kind
    raise EvaluationError("not integers of one type")


def bit_or(first: Any, second: Any) -> object:
    """Return the bits that one of two integers has."""
    return _same_integers(first, second)(first | second)


def bit_and(first: Any, second: Any) -> object:
    """Return the bits that both integers have."""
    return _same_integers(first, second)(first & second)


def bit_xor(first: Any, second: Any) -> object:
    """Return the bits that exactly one of two integers has."""
    return _same_integers(first, second)(first ^ second)


def bit_not(value: Any) -> object:
    """Return an integer with all its bits turned."""
    if _same_integers(value, value) is int:
        return ~value
    return Uint(UINT_MAX ^ value)


def _shift(value: Any, count: Any) -> None:
    _same_integers(value, value)
    if type(count) is not int or count < 0:
        raise EvaluationError("not a count of bits")


def _wrapped(value: int, kind: type) -> object:
    bits = value & UINT_MAX
    if kind is Uint:
        return Uint(bits)
    return bits - 2**64 if bits >= 2**63 else bits


def shift_left(value: Any, count: Any) -> object:
    """Return an integer's bits moved to the left; those that fall off 64 bits are lost."""
    _shift(value, count)
    return _wrapped(value << count, type(value)) if count < 64 else type(value)(0)


def shift_right(value: Any, count: Any) -> object:
    """Return an integer's 64 bits moved to the right, filled with zeros."""
    _shift(value, count)
    return _wrapped((value & UINT_MAX) >> count, type(value)) if count < 64 else type(value)(0)
