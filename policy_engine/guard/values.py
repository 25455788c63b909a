"""Python values <-> the JSON values that policies judge, copied so that nothing changes later."""

import copy
import dataclasses
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

__all__ = ["UnjudgeableError", "replaced", "snapshot"]

_ATOMS: Final = frozenset({type(None), bool, int, float, str})
_TIMES: Final = frozenset({date, datetime, time})
_MAX_DEPTH: Final = 64


class UnjudgeableError(Exception):
    """A value has no JSON form that could be judged."""


def snapshot(value: Any, depth: int = 0) -> tuple[Any, Any]:  # noqa: C901 - a table of types
    """Return a value's JSON form, and a copy that nobody else can change.

    None, booleans, integers, floats and strings stand for themselves; lists and tuples are
    lists; dictionaries with string keys, dataclasses and pydantic models are objects; an enum
    member is its value; dates and times are ISO 8601; a decimal is the number that prints the
    same; UUIDs and paths are strings. Types are exact: a subclass could answer differently
    the second time.

    Raises:
        UnjudgeableError: Any other type, or a value nested too deep.
    """
    kind = type(value)
    if kind in _ATOMS:
        return value, value
    if depth > _MAX_DEPTH:
        raise UnjudgeableError("it is nested too deep")
    if kind is list or kind is tuple:
        pairs = [snapshot(item, depth + 1) for item in kind(value)]
        return [pair[0] for pair in pairs], kind(pair[1] for pair in pairs)
    if kind is dict:
        return _mapping(dict(value), depth)
    if isinstance(value, Enum):
        return snapshot(value.value, depth + 1)[0], value
    if kind in _TIMES:
        return value.isoformat(), value
    if kind is Decimal:
        return _number(value), value
    if kind is UUID or isinstance(value, PurePath):
        return str(value), value
    if dataclasses.is_dataclass(kind):
        return _record(value, [field.name for field in dataclasses.fields(kind)], depth)
    if hasattr(kind, "__pydantic_fields__"):
        return _record(value, list(vars(value)), depth)
    raise UnjudgeableError(f"its type {kind.__qualname__} has no JSON form")


def replaced(original: Any, judged: Any) -> Any:
    """Return a copy of a value in which the JSON form stands that was judged.

    Raises:
        UnjudgeableError: The value's type cannot take the judged form.
    """
    kind = type(original)
    if snapshot(original)[0] == judged and type(judged) is type(snapshot(original)[0]):
        return original
    if kind is str and type(judged) is str:
        return judged
    if kind in (list, tuple) and type(judged) is list and len(judged) == len(original):
        return kind(replaced(old, new) for old, new in zip(original, judged, strict=True))
    if kind is dict and type(judged) is dict and judged.keys() == original.keys():
        return {key: replaced(original[key], judged[key]) for key in original}
    if type(judged) is dict and (
        dataclasses.is_dataclass(kind) or hasattr(kind, "__pydantic_fields__")
    ):
        clone = copy.copy(original)
        for name, new in judged.items():
            object.__setattr__(clone, name, replaced(object.__getattribute__(clone, name), new))
        return clone
    raise UnjudgeableError(f"its type {kind.__qualname__} cannot be redacted")


def _mapping(value: Mapping[Any, Any], depth: int) -> tuple[dict[str, Any], dict[str, Any]]:
    judged: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for key, item in value.items():
        if type(key) is not str:
            raise UnjudgeableError("a key is not a string")
        judged[key], kept[key] = snapshot(item, depth + 1)
    return judged, kept


def _record(value: Any, names: list[str], depth: int) -> tuple[dict[str, Any], Any]:
    clone = copy.copy(value)
    judged: dict[str, Any] = {}
    for name in names:
        judged[name], kept = snapshot(object.__getattribute__(clone, name), depth + 1)
        object.__setattr__(clone, name, kept)
    return judged, clone


def _number(value: Decimal) -> int | float:
    try:
        if value == value.to_integral_value():
            return int(value)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise UnjudgeableError("a decimal is not a finite number") from error
    number = float(value)
    if Decimal(repr(number)) != value:
        raise UnjudgeableError("a decimal has more digits than a number can hold")
    return number
