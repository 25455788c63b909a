"""Values of records as JSON text."""

from collections.abc import Mapping

import orjson

__all__ = ["as_fields", "as_json"]


def as_json(value: object) -> str:
    """Write a value; what UTF-8 does not have (halves of surrogate pairs) is escaped."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return orjson.dumps(_encodable(value)).decode()


def as_fields(values: Mapping[str, object]) -> str:
    """Write the fields of an object, without its braces."""
    return as_json(values)[1:-1]


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _encodable(held) for name, held in value.items()}
    return value
