"""The functions of optionals."""

from collections.abc import Callable

from policy_engine.cel.containers import is_zero
from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.values import NONE, OptionalValue

__all__ = ["has_value", "none", "of", "of_non_zero", "or_optional", "or_value", "value_of"]


def of(value: object) -> OptionalValue:
    """Return an optional with a value."""
    return OptionalValue(value)


def none() -> OptionalValue:
    """Return the empty optional."""
    return NONE


def of_non_zero(value: object) -> OptionalValue:
    """Return an optional that is empty for its type's zero."""
    return NONE if is_zero(value) else OptionalValue(value)


def _optional(value: object) -> OptionalValue:
    if type(value) is not OptionalValue:
        raise EvaluationError("not an optional")
    return value


def has_value(value: object) -> bool:
    """Say whether an optional has a value."""
    return _optional(value) is not NONE


def value_of(value: object) -> object:
    """Return the value of an optional, which must have one."""
    found = _optional(value)
    if found is NONE:
        raise EvaluationError("an empty optional")
    return found.value


def or_optional(value: object, other: Callable[[], object]) -> OptionalValue:
    """Return the first of two optionals that has a value; the other is computed if need be."""
    found = _optional(value)
    return _optional(other()) if found is NONE else found


def or_value(value: object, other: Callable[[], object]) -> object:
    """Return the value of an optional, or another, which is computed if need be."""
    found = _optional(value)
    return other() if found is NONE else found.value


def map_optional(value: object, change: Callable[[object], object]) -> OptionalValue:
    """Return an optional of what its value becomes."""
    found = _optional(value)
    return NONE if found is NONE else OptionalValue(change(found.value))


def flat_map_optional(value: object, change: Callable[[object], object]) -> OptionalValue:
    """Return the optional that its value becomes."""
    found = _optional(value)
    return NONE if found is NONE else _optional(change(found.value))
