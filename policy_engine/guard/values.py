"""Python values <-> the JSON values that policies judge, copied so that nothing changes later."""

from datetime import date, datetime, time, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from policy_engine.guard.shape import shape_of
from policy_engine.guard.unjudgeable import UnjudgeableError

__all__ = ["ATOMS", "UNREAD", "replaced", "snapshot"]

ATOMS: Final = frozenset({type(None), bool, int, float, str})
"""Types whose values stand for themselves and never change."""

UNREAD: Final = "an error was raised while it was read"
"""What is said of a value whose class raises; of the error itself nothing is said."""

_TEXTS: Final = frozenset(
    {UUID, PurePosixPath, PureWindowsPath, type(PurePath()), type(Path())},
)
_TIMES: Final = frozenset({date, datetime, time})
_CONSTANT: Final = ATOMS | _TEXTS | _TIMES | {Decimal}
_MAX_DEPTH: Final = 64
_MAX_VALUES: Final = 500_000
_MAX_DIGITS: Final = 400


def snapshot(value: Any) -> tuple[Any, Any]:
    """Return a value's JSON form, and a copy that nobody else can change.

    None, booleans, integers, floats and strings stand for themselves; lists, tuples and named
    tuples are lists; dictionaries with string keys are objects, and so are dataclasses and
    pydantic models, by the names of their fields; an enum member is its value; dates and times
    are ISO 8601; a decimal is the number that it equals; UUIDs and paths are strings. Types are
    exact: a subclass could answer differently the second time.

    Raises:
        UnjudgeableError: Any other type, or a value nested too deep, or too large, or one whose
            class raises something while it is read.
    """
    try:
        if type(value) in ATOMS:
            return value, value
        return _Copy().of(value, 0)
    except UnjudgeableError:
        raise
    except Exception as error:
        raise UnjudgeableError(UNREAD) from error


def replaced(kept: Any, before: Any, after: Any) -> Any:
    """Return a copy in which a changed JSON form stands.

    Args:
        kept: The copy that `snapshot` returned.
        before: The JSON form that it returned.
        after: That form with some strings changed; what did not change is the same object.

    Raises:
        UnjudgeableError: The value's type cannot take the changed form.
    """
    kind = type(kept)
    if after is before or (
        type(after) in ATOMS and type(after) is type(before) and after == before
    ):
        return kept
    if kind is str and type(after) is str:
        return after
    if issubclass(kind, list | tuple) and type(after) is list and len(after) == len(kept):
        items = [replaced(*parts) for parts in zip(kept, before, after, strict=True)]
        return items if kind is list else _tuple(kind, items)
    if kind is dict and type(after) is dict and after.keys() == kept.keys():
        return {name: replaced(kept[name], before[name], after[name]) for name in kept}
    shape = shape_of(kind)
    if shape is None:
        raise UnjudgeableError(f"its type {kind.__qualname__} cannot be redacted")
    held = shape.read(kept)
    if shape.is_root:
        before, after = {"root": before}, {"root": after}
    if type(after) is not dict or after.keys() != held.keys():
        raise UnjudgeableError(f"its type {kind.__qualname__} cannot be redacted")
    changed = {name: replaced(held[name], before[name], after[name]) for name in held}
    return shape.build(changed, kept)


class _Copy:
    """Copies one value, however often it holds others, within bounds."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _MAX_VALUES

    def of(self, value: Any, depth: int) -> tuple[Any, Any]:
        """Return the JSON form and the copy."""
        kind = type(value)
        if kind in ATOMS:
            return value, value
        if depth > _MAX_DEPTH:
            raise UnjudgeableError("it is nested too deep, or holds itself")
        if kind is list or kind is tuple:
            judged, kept = self._items(value, depth)
            return judged, kept if kind is list else tuple(kept)
        if kind is dict:
            return self._object(dict(value), depth)
        if kind in _CONSTANT or issubclass(kind, Enum):
            return _constant(value)
        if _is_named_tuple(kind):
            judged, kept = self._items(tuple.__iter__(value), depth)
            return judged, _tuple(kind, kept)
        shape = shape_of(kind)
        if shape is None:
            raise UnjudgeableError(f"its type {kind.__qualname__} has no JSON form")
        fields, held = self._object(shape.read(value), depth)
        return fields["root"] if shape.is_root else fields, shape.build(held, value)

    def _items(self, values: Any, depth: int) -> tuple[list[Any], list[Any]]:
        # The first copy is made in one step, so that no other thread is in between.
        kept = list(values)
        self._count(len(kept))
        judged = kept.copy()
        for index, item in enumerate(kept):
            if type(item) not in ATOMS:
                judged[index], kept[index] = self.of(item, depth + 1)
        return judged, kept

    def _object(self, kept: dict[Any, Any], depth: int) -> tuple[dict[str, Any], dict[str, Any]]:
        self._count(len(kept))
        judged = kept.copy()
        for name, item in judged.items():
            if type(name) is not str:
                raise UnjudgeableError("it has a key that is not a string")
            if type(item) not in ATOMS:
                judged[name], kept[name] = self.of(item, depth + 1)
        return judged, kept

    def _count(self, values: int) -> None:
        self._left -= values
        if self._left < 0:
            raise UnjudgeableError(f"it holds more than {_MAX_VALUES:,} values, or itself")


def _constant(value: Any) -> tuple[Any, Any]:
    """Return the JSON form of a value that cannot change, and the value."""
    kind = type(value)
    if kind in ATOMS:
        return value, value
    if kind is date:
        return value.isoformat(), value
    if kind in _TIMES:
        fixed = _fixed(value)
        return fixed.isoformat(), fixed
    if kind is Decimal:
        return _number(value), value
    if kind in _TEXTS:
        return str(value), value
    return _member(value), value


def _member(value: Enum) -> Any:
    """Return the JSON form of an enum member's value."""
    kind = type(value)
    if next(base for base in kind.__mro__ if "value" in vars(base)) is not Enum:
        raise UnjudgeableError(f"its type {kind.__qualname__} computes the values of its members")
    inner = value.value
    if type(inner) is tuple and all(type(item) in _CONSTANT for item in inner):
        return [_constant(item)[0] for item in inner]
    if type(inner) not in _CONSTANT:
        raise UnjudgeableError(f"its type {kind.__qualname__} has members that can change")
    return _constant(inner)[0]


def _fixed(value: Any) -> Any:
    """Return a time whose offset cannot change."""
    zone: tzinfo | None = value.tzinfo
    if zone is None or type(zone) is timezone or type(zone) is ZoneInfo:
        return value
    offset = value.utcoffset()
    return value.replace(tzinfo=None if offset is None else timezone(offset))


def _number(value: Decimal) -> int | float:
    if not value.is_finite() or abs(value.adjusted()) > _MAX_DIGITS:
        raise UnjudgeableError("a decimal is not a finite number, or has too many digits")
    try:
        if value == value.to_integral_value():
            return int(value)
    except InvalidOperation as error:
        raise UnjudgeableError("a decimal has too many digits") from error
    number = float(value)
    if Decimal(repr(number)) != value:
        raise UnjudgeableError("a decimal has more digits than a number can hold")
    return number


def _tuple(kind: type[Any], items: list[Any]) -> Any:
    return tuple.__new__(kind, items)


def _is_named_tuple(kind: type[Any]) -> bool:
    """Whether it is a named tuple, and reads as the tuple that it is."""
    return (
        issubclass(kind, tuple)
        and kind.__bases__[0] is tuple
        and isinstance(getattr(kind, "_fields", None), tuple)
        and all(
            getattr(kind, name) is getattr(tuple, name)
            for name in ("__getitem__", "__iter__", "__len__", "__getattribute__", "__eq__")
        )
    )
