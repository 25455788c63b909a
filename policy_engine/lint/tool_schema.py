"""A tool's schema in plain words: its references followed, its dialect translated.

SDKs and servers print JSON Schema as their library has it: `$ref` into `$defs` or `definitions`,
`allOf` round one reference, OpenAPI's `nullable`, types in capitals. Rules about tools read one
form. Objects of other people's schemas are open, and ask for what `required` lists alone.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

from policy_engine.tools import Tool

__all__ = ["broken_references", "plain_tool"]

_DEPTH: Final = 8
"""What stands deeper may be anything."""
_MOST: Final = 4_000
"""So many schemas are written out; references can multiply them."""
_ANYTHING: Final[Mapping[str, Any]] = {}
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS: Final = ("properties", "patternProperties", "dependentSchemas")
_SINGLE: Final = (
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
)  # fmt: skip
_IN_PLACE: Final = frozenset({"not", "if", "then", "else"})
"""Keywords whose schema judges the same value."""
_TOLD: Final = frozenset({"$defs", "definitions", "$schema", "$id", "$anchor"})
_MISSING: Final = object()


def _is_any(_: object) -> bool:
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_bound(value: object) -> bool:
    return _is_number(value) or isinstance(value, bool)


def _is_step(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and bool(value)


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _is_schema(value: object) -> bool:
    return isinstance(value, Mapping | bool)


_FORMS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "type": lambda value: _is_text(value) or (_is_list(value) and _is_list_of_texts(value)),
    **dict.fromkeys(("enum", *_LISTS), _is_list),
    **dict.fromkeys(("minimum", "maximum"), _is_number),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), _is_bound),
    "multipleOf": _is_step,
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_count),
    **dict.fromkeys(("minProperties", "maxProperties"), _is_count),
    **dict.fromkeys(("pattern", "format"), _is_text),
    "required": _is_list_of_texts,
    **dict.fromkeys(_MAPS, _is_mapping),
    **dict.fromkeys(_SINGLE, _is_schema),
}
"""Keyword -> the values of it that say anything; with any other it is left out."""


def plain_tool(tool: Tool) -> Tool:
    """Return a tool whose schema has no references, whatever cannot be told left open."""
    if not tool.typed:
        return tool
    schema = _Writer(tool.schema).write(tool.schema, 0)
    whole = dict(schema) if isinstance(schema, Mapping) else {}
    for part in whole.pop("allOf", ()):
        if isinstance(part, Mapping):
            _add(whole, part)
    # Alternatives of all arguments: what only some of them name or require is left open.
    for key in ("anyOf", "oneOf"):
        parts = [part for part in whole.pop(key, ()) if isinstance(part, Mapping)]
        for part in parts:
            named = {name: dict(_ANYTHING) for name in part.get("properties", {})}
            whole["properties"] = {**named, **whole.get("properties", {})}
    return replace(tool, schema=whole)


def _add(whole: dict[str, Any], part: Mapping[str, Any]) -> None:
    """Say of all arguments what a part of `allOf` says."""
    properties = dict(whole.get("properties", {}))
    for name, schema in part.get("properties", {}).items():
        known = properties.get(name)
        properties[name] = schema if known is None else {"allOf": [known, schema]}
    if properties:
        whole["properties"] = properties
    required = [*whole.get("required", ()), *part.get("required", ())]
    whole["required"] = list(dict.fromkeys(required))
    if part.get("additionalProperties") is False:
        whole["additionalProperties"] = False


class _Writer:
    """Writes schemas out, as far as that ends."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.left = _MOST

    def write(self, schema: Any, depth: int, followed: tuple[str, ...] = ()) -> Any:
        """Return a schema without references; `followed` are those that led to it."""
        self.left -= 1
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping) or depth > _DEPTH or self.left < 0:
            return dict(_ANYTHING)
        made = self._parts(schema, depth + 1, followed)
        _translate(made)
        reference = schema.get("$ref")
        if not isinstance(reference, str) or reference in followed:
            return _opened(made)
        target = _target(self.root, reference)
        if target is _MISSING:
            return _opened(made)
        return _joined(self.write(target, depth + 1, (*followed, reference)), made)

    def _parts(
        self, schema: Mapping[str, Any], depth: int, followed: tuple[str, ...]
    ) -> dict[str, Any]:
        """Return a schema with those inside of it written out."""
        made = {
            key: value
            for key, value in schema.items()
            if key not in _TOLD and key != "$ref" and _FORMS.get(key, _is_any)(value)
        }
        for key in _LISTS:
            if isinstance(made.get(key), list):
                made[key] = [self.write(part, depth, followed) for part in made[key]]
        for key in _MAPS:
            if isinstance(made.get(key), Mapping):
                made[key] = {n: self.write(s, depth) for n, s in made[key].items()}
        for key in _SINGLE:
            if isinstance(made.get(key), Mapping):
                inner = followed if key in _IN_PLACE else ()
                made[key] = self.write(made[key], depth, inner)
        return made


def _joined(target: Any, beside: dict[str, Any]) -> Any:
    """Return what a reference leads to together with what stands beside it."""
    beside = {k: v for k, v in beside.items() if k not in {"title", "description", "default"}}
    if not beside:
        return target
    return {"allOf": [target, _opened(beside)]}


def _opened(made: dict[str, Any]) -> dict[str, Any]:
    """Say what other people's schemas leave unsaid, and a lone `allOf` without it."""
    parts = made.get("allOf")
    if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], Mapping):
        rest = {k: v for k, v in made.items() if k != "allOf"}
        if not set(rest) & set(parts[0]) - {"title", "description", "default"}:
            made = {**rest, **parts[0]}
    if "properties" in made or "object" in _listed(made.get("type")):
        made.setdefault("required", [])
        made.setdefault("additionalProperties", True)
    return made


def _translate(made: dict[str, Any]) -> None:
    """Put what older and neighbouring dialects say into the words of JSON Schema 2020-12."""
    kinds = [kind.lower() for kind in _listed(made.get("type")) if isinstance(kind, str)]
    if made.pop("nullable", False) is True and kinds:
        kinds.append("null")
        if isinstance(made.get("enum"), list) and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    if kinds:
        made["type"] = kinds[0] if len(kinds) == 1 else list(dict.fromkeys(kinds))
    for bound in ("minimum", "maximum"):
        name = f"exclusive{bound.capitalize()}"
        if isinstance(made.get(name), bool):
            is_open = made.pop(name)
            if is_open and bound in made:
                made[name] = made.pop(bound)


def _listed(kinds: object) -> list[Any]:
    return kinds if isinstance(kinds, list) else [] if kinds is None else [kinds]


def _target(root: Mapping[str, Any], reference: str) -> Any:
    """Return what a reference leads to within its schema."""
    base, _, fragment = reference.partition("#")
    if base and base != root.get("$id"):
        return _MISSING
    if fragment and not fragment.startswith("/"):
        return next((s for s, _ in _subschemas(root, "") if s.get("$anchor") == fragment), _MISSING)
    value: Any = root
    for step in unquote(fragment).split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return _MISSING
    return value if isinstance(value, Mapping | bool) else _MISSING


def broken_references(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Go through references that lead nowhere: the pointer to each, and what it says."""
    for part, pointer in _subschemas(schema, ""):
        reference = part.get("$ref")
        if "$ref" in part and (
            not isinstance(reference, str) or _target(schema, reference) is _MISSING
        ):
            yield f"{pointer}/$ref", str(reference)


def _subschemas(schema: Any, pointer: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Go through a schema and those inside of it, with their JSON Pointers."""
    waiting: list[tuple[Any, str]] = [(schema, pointer)]
    while waiting:
        part, place = waiting.pop()
        if not isinstance(part, Mapping):
            continue
        yield part, place
        inner: list[tuple[Any, str]] = [(part.get(key), f"{place}/{key}") for key in _SINGLE]
        for key in _LISTS:
            listed = part.get(key)
            if isinstance(listed, list):
                inner.extend((one, f"{place}/{key}/{i}") for i, one in enumerate(listed))
        for key in (*_MAPS, "$defs", "definitions"):
            mapped = part.get(key)
            if isinstance(mapped, Mapping):
                inner.extend((one, f"{place}/{key}/{_said(name)}") for name, one in mapped.items())
        waiting.extend(reversed(inner))


def _said(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")
