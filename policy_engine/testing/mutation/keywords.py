"""Single keywords of a schema that take one thing more, or one less."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from policy_engine.testing.mutation.patterns import loosened_pattern, tightened_pattern
from policy_engine.testing.search.sample import OTHER

__all__ = ["OTHER", "another", "loosened_keyword", "tightened_keyword"]

_MORE: Final = ("maximum", "maxLength", "maxItems", "maxBytes", "maxProperties", "maxContains")
_LESS: Final = ("minimum", "minLength", "minItems", "minProperties", "minContains")
_COUNTS: Final = frozenset({*_MORE[1:], *_LESS[1:]})
_INCLUSIVE: Final = {"exclusiveMaximum": "maximum", "exclusiveMinimum": "minimum"}
_EXCLUSIVE: Final = {other: key for key, other in _INCLUSIVE.items()}
_Changed: TypeAlias = Iterator[tuple[dict[str, Any], str]]


def loosened_keyword(schema: Mapping[str, Any], key: str, value: Any) -> _Changed:
    """Yield a schema in which one keyword takes one thing more."""
    if key in _MORE:
        yield {**schema, key: value + 1}, f"{key} {value} is {value + 1}"
    elif key in _LESS:
        if key not in _COUNTS or value > 1:
            yield {**schema, key: value - 1}, f"{key} {value} is {value - 1}"
        elif value == 1:
            changed = {**schema, key: 0} if key == "minContains" else _without(schema, key)
            yield changed, f"{key} {value} is gone"
    elif key in _INCLUSIVE:
        other = _INCLUSIVE[key]
        yield {**_without(schema, key), other: value}, f"{key} {value} is {other}"
    elif key == "pattern":
        yield from (({**schema, key: after}, what) for after, what in loosened_pattern(value))
    else:
        yield from _longer(schema, key, value)


def _longer(schema: Mapping[str, Any], key: str, value: Any) -> _Changed:
    if key == "enum":
        more = another(value)
        if more not in value:
            yield {**schema, key: [*value, more]}, "the list is longer"
    elif key == "const":
        changed = {**_without(schema, key), "enum": [value, another([value])]}
        yield changed, "const is a list of two"


def tightened_keyword(schema: Mapping[str, Any], key: str, value: Any) -> _Changed:
    """Yield a schema in which one keyword takes one thing less."""
    if key in _EXCLUSIVE:
        other = _EXCLUSIVE[key]
        yield {**_without(schema, key), other: value}, f"{key} {value} is {other}"
    elif key in _INCLUSIVE:
        step = 1 if key == "exclusiveMinimum" else -1
        yield {**schema, key: value + step}, f"{key} {value} is {value + step}"
    elif key in _MORE:
        if value > 0:
            yield {**schema, key: value - 1}, f"{key} {value} is {value - 1}"
    elif key in _LESS:
        yield {**schema, key: value + 1}, f"{key} {value} is {value + 1}"
    elif key == "enum" and len(value) > 1:
        for i, item in enumerate(value):
            yield {**schema, key: [*value[:i], *value[i + 1 :]]}, f"{item!r} is not in the list"
    elif key == "pattern":
        for after, what in tightened_pattern(value):
            yield {**schema, key: after}, what


def another(values: list[Any]) -> Any:
    """Return a value of the same kind that is not among these."""
    if all(isinstance(item, bool) for item in values):
        return next((item for item in (True, False) if item not in values), values[0])
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    return max(numbers) + 1 if len(numbers) == len(values) else OTHER


def _without(schema: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {other: item for other, item in schema.items() if other != key}
