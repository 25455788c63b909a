"""Equality and order."""

from types import NoneType
from typing import Final

from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import LISTS, elements, entries, is_map, stored_key
from policy_engine.cel.values import (
    NONE,
    Address,
    Duration,
    Map,
    Network,
    OptionalValue,
    Timestamp,
    TypeValue,
    Uint,
)

__all__ = ["contains", "equal", "greater", "greater_or_equal", "less", "less_or_equal", "not_equal"]

MAX_STEPS: Final = 1_000_000
NUMBERS: Final = frozenset({int, Uint, float})
_PLAIN: Final = frozenset({str, bool, bytes, NoneType, Timestamp, Duration, Address, Network})
_ORDERED: Final = frozenset({str, bool, bytes, Timestamp, Duration})


def equal(first: object, second: object) -> bool:
    """Compare two values; values of different types are different, numbers compare by value."""
    kind = type(first)
    if kind in _PLAIN:
        return kind is type(second) and first == second
    if kind in NUMBERS:
        return type(second) in NUMBERS and first == second
    return _equal(first, second, [MAX_STEPS])


def not_equal(first: object, second: object) -> bool:
    """Say whether two values differ."""
    return not equal(first, second)


def _equal(first: object, second: object, steps: list[int]) -> bool:
    steps[0] -= 1
    if steps[0] < 0:
        raise EvaluationError("too large to compare")
    kind = type(first)
    if kind in _PLAIN:
        return kind is type(second) and first == second
    if kind in NUMBERS:
        return type(second) in NUMBERS and first == second
    if kind in LISTS:
        return type(second) in LISTS and _equal_lists(first, second, steps)
    if is_map(first):
        return is_map(second) and _equal_maps(first, second, steps)
    return _equal_others(first, second, steps)


def _equal_others(first: object, second: object, steps: list[int]) -> bool:
    if isinstance(first, OptionalValue):
        if not isinstance(second, OptionalValue):
            return False
        if first is NONE or second is NONE:
            return first is second
        return _equal(first.value, second.value, steps)
    if isinstance(first, TypeValue):
        return isinstance(second, TypeValue) and first.name == second.name
    raise EvaluationError("cannot compare")


def _equal_lists(first: object, second: object, steps: list[int]) -> bool:
    left, right = elements(first), elements(second)
    if len(left) != len(right):
        return False
    return all(_equal(a, b, steps) for a, b in zip(left, right, strict=True))


def _equal_maps(first: object, second: object, steps: list[int]) -> bool:
    left = entries(first)
    right = dict(entries(second))
    if len(left) != len(right):
        return False
    return all(key in right and _equal(value, right[key], steps) for key, value in left)


def _order(first: object, second: object) -> None:
    kind = type(first)
    other = type(second)
    if kind is not other or kind not in _ORDERED:
        if kind in NUMBERS and other in NUMBERS:
            return
        raise EvaluationError("no order between these")


def less(first: object, second: object) -> bool:
    """Return first < second."""
    _order(first, second)
    return first < second  # type: ignore[operator, no-any-return]


def less_or_equal(first: object, second: object) -> bool:
    """Return first <= second."""
    _order(first, second)
    return first <= second  # type: ignore[operator, no-any-return]


def greater(first: object, second: object) -> bool:
    """Return first > second."""
    _order(first, second)
    return first > second  # type: ignore[operator, no-any-return]


def greater_or_equal(first: object, second: object) -> bool:
    """Return first >= second."""
    _order(first, second)
    return first >= second  # type: ignore[operator, no-any-return]


def contains(item: object, container: object) -> bool:
    """Return `item in container`: an element of a list, or a key of a map."""
    if type(container) in LISTS:
        return any(equal(item, other) for other in elements(container))
    if type(container) is Map:
        if type(item) is float:
            return item in container
        return stored_key(item) in container
    if is_map(container):
        return type(item) is str and item in container  # type: ignore[operator]
    raise EvaluationError("not a list or a map")
