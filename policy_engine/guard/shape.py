"""Dataclasses and pydantic models, taken apart and put together field by field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from types import MemberDescriptorType
from typing import Any, Final
from weakref import WeakKeyDictionary

from policy_engine.guard.unjudgeable import UnjudgeableError

__all__ = ["Shape", "shape_of"]

_MODEL_SLOTS: Final = (
    "__pydantic_fields_set__",
    "__pydantic_extra__",
    "__pydantic_private__",
)
_BOOKKEEPING: Final = frozenset({"__dict__", "__weakref__", *_MODEL_SLOTS})
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Shape:
    """What instances of one class hold: their fields, and nothing that escapes judgement."""

    kind: type[Any]
    names: tuple[str, ...]
    slots: tuple[str, ...]
    """Places for values that are no fields; an instance that uses one cannot be judged."""
    passing: frozenset[str]
    """Cached properties: left out of a copy, which computes them anew."""
    is_model: bool
    is_root: bool
    """Whether it is a pydantic `RootModel`, whose JSON form is that of its one field."""

    def read(self, value: Any) -> dict[str, Any]:
        """Return a value's fields as they are stored.

        Raises:
            UnjudgeableError: It holds something beside its fields.
        """
        own = dict(_stored(value, "__dict__", {}))
        held = {name: own.pop(name, _ABSENT) for name in self.names}
        for name, found in held.items():
            if found is _ABSENT:
                held[name] = self._elsewhere(value, name)
        self._refuse_others(value, own)
        if self.is_model:
            held.update(_stored(value, "__pydantic_extra__", None) or {})
        return held

    def build(self, held: Mapping[str, Any], like: Any) -> Any:
        """Return a new instance that holds these fields; nothing of its class runs."""
        made = object.__new__(self.kind)
        if not self.is_model:
            for name, value in held.items():
                object.__setattr__(made, name, value)
            return made
        others = {name: value for name, value in held.items() if name not in self.names}
        object.__setattr__(made, "__dict__", {name: held[name] for name in self.names})
        given = _stored(like, "__pydantic_fields_set__", ())
        object.__setattr__(made, "__pydantic_fields_set__", set(given))
        if self.is_root:
            return made
        extra = _stored(like, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_extra__", None if extra is None else others)
        object.__setattr__(made, "__pydantic_private__", None)
        return made

    def _elsewhere(self, value: Any, name: str) -> Any:
        """Return a field that is not in the instance's dictionary: a slot, or a default."""
        try:
            return object.__getattribute__(value, name)
        except AttributeError:
            raise UnjudgeableError(f'its field "{name}" is not set') from None

    def _refuse_others(self, value: Any, own: Iterable[str]) -> None:
        others = [name for name in own if name not in self.passing]
        others.extend(name for name in self.slots if _stored(value, name, _ABSENT) is not _ABSENT)
        if self.is_model:
            others.extend(_stored(value, "__pydantic_private__", None) or ())
        if others:
            kind = self.kind.__qualname__
            raise UnjudgeableError(f'its type {kind} keeps "{others[0]}", which is no field')


_known: WeakKeyDictionary[type[Any], Shape] = WeakKeyDictionary()


def shape_of(kind: type[Any]) -> Shape | None:
    """Return how a dataclass or pydantic model is taken apart; None for any other class.

    Raises:
        UnjudgeableError: The class decides for itself what its fields are read as.
    """
    shape = _known.get(kind)
    if shape is None:
        is_model = "__pydantic_fields__" in dir(kind) and not is_dataclass(kind)
        if not (is_model or is_dataclass(kind)):
            return None
        shape = _known[kind] = _found(kind, is_model=is_model)
    return shape


def _found(kind: type[Any], *, is_model: bool) -> Shape:
    names = tuple(kind.__pydantic_fields__) if is_model else tuple(f.name for f in fields(kind))
    places: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        places.update(vars(base))
    _refuse_odd(kind, names, places)
    slots = (name for name, place in places.items() if isinstance(place, MemberDescriptorType))
    return Shape(
        kind,
        names,
        tuple(name for name in slots if name not in names and name not in _BOOKKEEPING),
        frozenset(name for name, place in places.items() if isinstance(place, cached_property)),
        is_model,
        is_model and bool(getattr(kind, "__pydantic_root_model__", False)),
    )


def _refuse_odd(kind: type[Any], names: tuple[str, ...], places: Mapping[str, Any]) -> None:
    """Refuse a class whose instances can answer differently the second time."""
    name = kind.__qualname__
    try:
        object.__new__(kind)
    except TypeError:
        raise UnjudgeableError(f"its type {name} extends another type that holds values") from None
    if places["__getattribute__"] is not object.__getattribute__:
        raise UnjudgeableError(f"its type {name} overrides __getattribute__")
    for field in names:
        place = places.get(field)
        if not isinstance(place, MemberDescriptorType) and hasattr(type(place), "__set__"):
            raise UnjudgeableError(f'its type {name} computes its field "{field}"')


def _stored(value: Any, name: str, default: Any) -> Any:
    try:
        return object.__getattribute__(value, name)
    except AttributeError:
        return default
