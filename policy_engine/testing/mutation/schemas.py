"""Schemas that take one thing more."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.source import Path
from policy_engine.testing.mutation.conditions import OTHER

__all__ = ["Loosened", "loosened"]

_MORE: Final = ("maximum", "maxLength", "maxItems", "maxBytes", "maxProperties", "maxContains")
_LESS: Final = ("minimum", "minLength", "minItems", "minProperties", "minContains")
_COUNTS: Final = frozenset({"minLength", "minItems", "minProperties", "minContains"})
_INCLUSIVE: Final = {"exclusiveMaximum": "maximum", "exclusiveMinimum": "minimum"}
_DROPPED: Final = ("format", "multipleOf", "uniqueItems", "check", "not", "contains")
_TYPELESS: Final = frozenset({"type", "message", "optional", "description", "title", "default"})


@dataclass(frozen=True, slots=True)
class Loosened:
    """A schema that takes more than it should."""

    schema: dict[str, Any]
    path: Path
    """What was loosened, in the schema as written."""
    what: str
    retypes: bool = False
    """Whether expressions may see other types."""


def loosened(schema: Mapping[str, Any], *, top: bool = True) -> Iterator[Loosened]:
    """Yield a schema with each single thing loosened."""
    for key, value in schema.items():
        yield from _keyword(schema, key, value)
    if top and schema.get("optional") is not True:
        changed = {**schema, "optional": True}
        yield Loosened(changed, (), "the argument may be absent", retypes=True)
    if set(schema) <= _TYPELESS and isinstance(schema.get("type"), str):
        changed = {key: value for key, value in schema.items() if key != "type"}
        yield Loosened(changed, ("type",), f'any type is taken, not only "{schema["type"]}"', True)
    if schema.get("type") == "object" and not schema.get("additionalProperties", False):
        yield Loosened({**schema, "additionalProperties": True}, (), "any key is taken")
    for steps, below in _below(schema):
        for found in loosened(below, top=False):
            yield Loosened(
                _placed(schema, steps, found.schema),
                (*steps, *found.path),
                found.what,
                found.retypes,
            )


def _keyword(schema: Mapping[str, Any], key: str, value: Any) -> Iterator[Loosened]:
    without = {other: item for other, item in schema.items() if other != key}
    if key in _MORE:
        yield Loosened({**schema, key: value + 1}, (key,), f"{key} {value} is {value + 1}")
    elif key in _LESS:
        if key not in _COUNTS or value > 1:
            yield Loosened({**schema, key: value - 1}, (key,), f"{key} {value} is {value - 1}")
        elif value == 1:
            yield Loosened(without, (key,), f"{key} {value} is gone")
    elif key in _INCLUSIVE:
        yield Loosened(
            {**without, _INCLUSIVE[key]: value}, (key,), f"{key} {value} is {_INCLUSIVE[key]}"
        )
    elif key == "enum" and not all(isinstance(item, bool) for item in value):
        yield Loosened({**schema, key: [*value, _another(value)]}, (key,), "the list is longer")
    elif key == "pattern":
        yield from _pattern(schema, without, value)
    elif key in _DROPPED:
        yield Loosened(without, (key,), f"{key} is gone")


def _pattern(schema: Mapping[str, Any], without: dict[str, Any], value: str) -> Iterator[Loosened]:
    yield Loosened(without, ("pattern",), "the pattern is gone")
    for after, end in ((value.removeprefix("^"), "start"), (value.removesuffix("$"), "end")):
        if after not in (value, ""):
            what = f"the pattern is not held to the {end} of the text"
            yield Loosened({**schema, "pattern": after}, ("pattern",), what)


def _another(value: list[Any]) -> Any:
    numbers = [item for item in value if isinstance(item, int | float)]
    if len(numbers) == len(value):
        return max(numbers) + 1
    return OTHER


def _below(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    items = schema.get("items")
    if isinstance(items, Mapping):
        yield ("items",), items
    for name, below in (schema.get("properties") or {}).items():
        if isinstance(below, Mapping):
            yield ("properties", name), below
    for i, below in enumerate(schema.get("prefixItems") or ()):
        if isinstance(below, Mapping):
            yield ("prefixItems", i), below


def _placed(schema: Any, steps: Path, new: Any) -> Any:
    if not steps:
        return new
    if isinstance(schema, list):
        at = int(steps[0])
        return [*schema[:at], _placed(schema[at], steps[1:], new), *schema[at + 1 :]]
    return {**schema, steps[0]: _placed(schema[steps[0]], steps[1:], new)}
