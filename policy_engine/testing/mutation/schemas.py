"""Schemas that take one thing more; below `not`, one thing less."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from policy_engine.policy import JsonSchema
from policy_engine.source import Path
from policy_engine.testing.mutation.checks import loosened_check
from policy_engine.testing.mutation.keywords import loosened_keyword, tightened_keyword
from policy_engine.testing.mutation.patterns import loosened_pattern

__all__ = ["Loosened", "loosened"]

_ANNOTATIONS: Final = frozenset(
    {"message", "optional", "description", "title", "default", "examples", "deprecated"}
)
_OTHER_TYPE: Final[Mapping[str, str]] = {
    "integer": "number",
    "number": "string",
    "string": "number",
    "boolean": "number",
    "array": "string",
    "object": "string",
    "null": "string",
}
"""What is taken as well where a type is widened."""
_PARTS: Final[Mapping[str, str]] = {
    "items": "one",
    "contains": "one",
    "additionalProperties": "one",
    "propertyNames": "one",
    "then": "one",
    "else": "one",
    "prefixItems": "list",
    "allOf": "list",
    "anyOf": "list",
    "oneOf": "list",
    "properties": "map",
    "patternProperties": "map",
    "$defs": "map",
}
"""Keywords that hold schemas which a value must fit -> how they hold them."""
_CHAINED: Final = frozenset({"properties", "items", "prefixItems"})
"""Keywords below which a key may still be `optional`."""
_OPENED: Final = "any key is taken"
_DROPPED: Final = (
    *("format", "multipleOf", "uniqueItems", "check", "not", "contains", "maxBytes", "pattern"),
    *("anyOf", "oneOf", "then", "else", "propertyNames", "dependentRequired", "$ref"),
)
"""Keywords that may be gone as a whole."""
_WITH_IT: Final[Mapping[str, tuple[str, ...]]] = {"contains": ("minContains", "maxContains")}
"""What means nothing without them."""


@dataclass(frozen=True, slots=True)
class Loosened:
    """A schema that takes more than it should."""

    schema: dict[str, Any]
    path: Path
    """What was loosened, in the schema as written."""
    what: str
    retypes: bool = False
    """Whether expressions may see other types."""


def loosened(schema: JsonSchema, *, top: bool = True, closed: bool = True) -> Iterator[Loosened]:
    """Yield a schema with each single thing loosened.

    Args:
        schema: As it is written.
        top: Whether it is the whole schema of an argument, which must be there.
        closed: Whether objects are closed where `additionalProperties` is not written.
    """
    if not isinstance(schema, Mapping):
        return
    for found in _looser(schema):
        if closed or not _says_nothing(schema, found):
            yield found
    if top and schema.get("optional") is not True:
        changed = {**schema, "optional": True}
        yield Loosened(changed, (), "the argument may be absent", retypes=True)


def _says_nothing(schema: Mapping[str, Any], found: Loosened) -> bool:
    """Whether a value that is only read cannot tell: objects are open, and have fields."""
    if found.what == _OPENED:
        return "additionalProperties" not in found.path
    holder: Any = schema
    for step in found.path[:-1]:
        holder = holder[step]
    return found.path[-1:] == ("type",) and holder["type"] in ("object", "array")


def _looser(schema: Mapping[str, Any], *, chained: bool = True) -> Iterator[Loosened]:
    """Yield a schema with each single thing loosened; `chained` is where `optional` may stand."""
    for key, value in schema.items():
        for changed, what in loosened_keyword(schema, key, value):
            yield Loosened(changed, (key,), what)
        yield from _dropped(schema, key, value)
    for looser, path, what in loosened_check(schema.get("check") or {}):
        yield Loosened({**schema, "check": looser}, ("check", *path), what)
    yield from _types(schema)
    yield from _keys(schema, chained=chained)
    yield from _opened(schema)
    for steps, below in _below(schema, _PARTS):
        change = partial(_looser, chained=chained and steps[0] in _CHAINED)
        yield from _placed_all(schema, steps, below, change)
    for steps, below in _below(schema, {"not": "one", **_conditions(schema, loosens=False)}):
        yield from _placed_all(schema, steps, below, _tighter)
    for steps, below in _below(schema, _conditions(schema, loosens=True)):
        yield from _placed_all(schema, steps, below, _unchained)


def _dropped(schema: Mapping[str, Any], key: str, value: Any) -> Iterator[Loosened]:
    if key in _DROPPED and value is not False:
        gone = {key, *_WITH_IT.get(key, ())}
        if key in ("then", "else") and not ({"then", "else"} - {key}) & schema.keys():
            gone.add("if")
        rest = {other: item for other, item in schema.items() if other not in gone}
        name = "the pattern" if key == "pattern" else key
        yield Loosened(rest, (key,), f"{name} is gone", retypes=key == "$ref")
    for name in value if key == "dependentRequired" and len(value) > 1 else ():
        fewer = {other: needed for other, needed in value.items() if other != name}
        yield Loosened({**schema, key: fewer}, (key, name), f'"{name}" asks for nothing')
    for name in value if key == "patternProperties" else ():
        for after, what in loosened_pattern(name):
            if after not in value:
                wider = {(after if one == name else one): item for one, item in value.items()}
                yield Loosened({**schema, key: wider}, (key, name), f"{what}, which names keys")
    for i in range(len(value) if key == "allOf" and len(value) > 1 else 0):
        fewer = {**schema, key: [*value[:i], *value[i + 1 :]]}
        yield Loosened(fewer, (key, i), "a part of allOf is gone", retypes=True)


def _tighter(schema: Mapping[str, Any]) -> Iterator[Loosened]:
    """Yield a schema with each single thing tightened, so that what forbids it forbids less."""
    for key, value in schema.items():
        for changed, what in tightened_keyword(schema, key, value):
            yield Loosened(changed, (key,), what)
    for steps, below in _below(schema, {"not": "one"}):
        yield from _placed_all(schema, steps, below, _unchained)
    for steps, below in _below(schema, _PARTS):
        yield from _placed_all(schema, steps, below, _tighter)


def _unchained(schema: Mapping[str, Any]) -> Iterator[Loosened]:
    return _looser(schema, chained=False)


def _conditions(schema: Mapping[str, Any], *, loosens: bool) -> Mapping[str, str]:
    """Return whether `if` is to hold less often, for `then`, or more often, for `else`."""
    return {"if": "one"} if ("else" if loosens else "then") in schema else {}


def _types(schema: Mapping[str, Any]) -> Iterator[Loosened]:
    kind = schema.get("type")
    if kind is None:
        return
    if schema.keys() <= {"type", *_ANNOTATIONS} and isinstance(kind, str):
        changed = {key: value for key, value in schema.items() if key != "type"}
        yield Loosened(changed, ("type",), f'any type is taken, not only "{kind}"', retypes=True)
        return
    named = [kind] if isinstance(kind, str) else list(kind)
    other = next((_OTHER_TYPE[one] for one in named if _OTHER_TYPE[one] not in named), None)
    if other is not None and not {"enum", "const"} & schema.keys():
        what = f"{other} is taken as well"
        yield Loosened({**schema, "type": [*named, other]}, ("type",), what, retypes=True)


def _keys(schema: Mapping[str, Any], *, chained: bool) -> Iterator[Loosened]:
    """Open an object, and let its keys be absent."""
    kind = schema.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        more = schema.get("additionalProperties", False)
        if more is not True:
            changed = {**schema, "additionalProperties": True}
            place: Path = ("additionalProperties",) if "additionalProperties" in schema else ()
            yield Loosened(changed, place, _OPENED)
    required = schema.get("required")
    for i, name in enumerate(required or []):
        fewer = [other for other in schema["required"] if other != name]
        yield Loosened({**schema, "required": fewer}, ("required", i), f'"{name}" may be absent')
    properties = schema.get("properties") or {}
    for name, below in properties.items() if required is None else ():
        if not isinstance(below, Mapping) or below.get("optional") is True:
            continue
        what = f'"{name}" may be absent'
        if chained:
            changed = {**properties, name: {**below, "optional": True}}
            opened = {**schema, "properties": changed}
            yield Loosened(opened, ("properties", name), what, retypes=True)
        else:
            others = [other for other in properties if other != name]
            opened = {**schema, "required": others}
            yield Loosened(opened, ("properties", name), what, retypes=True)


def _opened(schema: Mapping[str, Any]) -> Iterator[Loosened]:
    """Let anything stand where nothing may."""
    if schema.get("items") is False:
        yield Loosened({**schema, "items": True}, ("items",), "more items are taken")
    for key in ("properties", "patternProperties"):
        held = schema.get(key) or {}
        for name, below in held.items():
            if below is False:
                opened = {**schema, key: {**held, name: True}}
                yield Loosened(opened, (key, name), f'"{name}" is taken')


def _below(
    schema: Mapping[str, Any], parts: Mapping[str, str]
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for key, form in parts.items():
        held = schema.get(key)
        pairs: list[tuple[Path, Any]] = [((key,), held)]
        if form == "list":
            pairs = [((key, i), below) for i, below in enumerate(held or ())]
        elif form == "map":
            pairs = [((key, name), below) for name, below in (held or {}).items()]
        for steps, below in pairs:
            if isinstance(below, Mapping):
                yield steps, below


def _placed_all(
    schema: Mapping[str, Any],
    steps: Path,
    below: Mapping[str, Any],
    change: Callable[[Mapping[str, Any]], Iterator[Loosened]],
) -> Iterator[Loosened]:
    for found in change(below):
        whole = _placed(schema, steps, found.schema)
        yield Loosened(whole, (*steps, *found.path), found.what, found.retypes)


def _placed(schema: Any, steps: Path, new: Any) -> Any:
    if not steps:
        return new
    if isinstance(schema, list):
        at = int(steps[0])
        return [*schema[:at], _placed(schema[at], steps[1:], new), *schema[at + 1 :]]
    return {**schema, steps[0]: _placed(schema[steps[0]], steps[1:], new)}
