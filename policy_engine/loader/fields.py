"""Which model and which field stands at a place of a policy."""

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from policy_engine.policy import Policy
from policy_engine.source import Path

__all__ = ["field_at", "keys_of", "model_at"]


def model_at(path: Path) -> type[BaseModel] | None:
    """Return the model of the mapping at a place, or None where it is free."""
    return _model(_walk(path)[0])


def field_at(path: Path) -> FieldInfo | None:
    """Return the field at a place, or the one whose item or entry stands there."""
    return _walk(path)[1]


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the keys that a mapping takes, as they are written."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _walk(path: Path) -> tuple[Any, FieldInfo | None]:
    annotation: Any = Policy
    field: FieldInfo | None = None
    for step in path:
        model = _model(annotation)
        if model is not None:
            field = keys_of(model).get(str(step))
            annotation = None if field is None else field.annotation
        else:
            annotation = _item(annotation)
        if annotation is None:
            break
    return annotation, field


def _model(annotation: Any) -> type[BaseModel] | None:
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _item(annotation: Any) -> Any:
    """Return what the items of a list or the values of a mapping are."""
    for part in _parts(annotation):
        origin, arguments = get_origin(part), get_args(part)
        if origin is tuple and arguments:
            return arguments[0]
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return arguments[1]
    return None


def _parts(annotation: Any) -> list[Any]:
    """Return the members of a union, bare of their constraints."""
    if get_origin(annotation) is Annotated:
        return _parts(get_args(annotation)[0])
    arguments = get_args(annotation)
    if type(None) in arguments:
        return [part for member in arguments for part in _parts(member)]
    return [annotation]
