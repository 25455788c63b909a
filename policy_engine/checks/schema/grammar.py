"""Which schemas are taken: every fault of a schema, with its place."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from policy_engine.checks.schema.conflicts import conflicts
from policy_engine.checks.schema.expansion import MAX_EXPANSION, expansion
from policy_engine.checks.schema.shapes import SHAPES, suggest
from policy_engine.checks.schema.vocabulary import (
    IN_PLACE,
    KEYWORDS,
    LATER_KEYWORDS,
    OURS,
    TYPES,
    Keyword,
    SchemaFault,
    SchemaPath,
)

__all__ = ["CheckReader", "read_schema"]

CheckReader = Callable[[object], Sequence[SchemaFault]]
"""Finds the faults of the value of `check`; the paths lead into that value."""

_DEFINITIONS: Final = "#/$defs/"
_MAX_NESTING: Final = 32
_MESSAGE_PLACE: Final = 'at the top and under "properties", "items" and "prefixItems"'


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """What is known of the spot where a schema stands."""

    path: SchemaPath = ()
    types: frozenset[str] | None = None
    """The types that the schemas around it leave; None where none is written."""
    declared: frozenset[str] | None = frozenset()
    """The properties declared beside it; None where any may stand."""
    ours: bool = False
    """Whether the language's own keywords may stand."""
    chain: bool = True
    """Whether they may stand in the properties and items below."""
    optional: bool = False
    """Whether `optional` may stand."""
    whole: bool = True
    """Whether a value of its own begins here."""


def read_schema(
    schema: object, *, top: bool, allow_ours: bool, read_check: CheckReader
) -> list[SchemaFault]:
    """Find every fault of a schema.

    Args:
        schema: The schema as written.
        top: Whether it is the whole schema of an argument, or of a name that may be absent.
        allow_ours: Whether the language's own keywords may stand where the language puts them;
            otherwise only `optional` may.
        read_check: Finds the faults of the value of `check`.
    """
    if not isinstance(schema, dict):
        return [SchemaFault((), "PE008", "a schema is a mapping from keywords to values")]
    deep = _too_deep(schema)
    if deep is not None:
        return [SchemaFault(deep, "PE015", "this schema is nested too deeply")]
    if expansion(schema) > MAX_EXPANSION:
        return [SchemaFault((), "PE015", "the references of this schema lead to too many others")]
    reader = _Reader(schema, allow_ours=allow_ours, read_check=read_check)
    place = _Place(ours=top and allow_ours, optional=top)
    return sorted(set(reader.schema(schema, place)))


def _too_deep(schema: object) -> SchemaPath | None:
    """Find a place beyond the nesting that the rest of this room may recurse into."""
    open_ends: list[tuple[SchemaPath, object]] = [((), schema)]
    while open_ends:
        path, value = open_ends.pop()
        if isinstance(value, dict | list) and len(path) > _MAX_NESTING:
            return path
        pairs = value.items() if isinstance(value, dict) else ()
        items = enumerate(value) if isinstance(value, list) else ()
        open_ends.extend(((*path, str(key)), below) for key, below in pairs)
        open_ends.extend(((*path, index), below) for index, below in items)
    return None


class _Reader:
    """Reads one schema with all that is below it."""

    def __init__(
        self, root: Mapping[str, object], *, allow_ours: bool, read_check: CheckReader
    ) -> None:
        definitions = root.get("$defs")
        self._definitions: Mapping[str, object] = (
            definitions if isinstance(definitions, dict) else {}
        )
        self._allow_ours = allow_ours
        self._read_check = read_check

    def schema(self, schema: object, place: _Place) -> Iterator[SchemaFault]:
        """Find the faults of a schema that stands at a place."""
        if isinstance(schema, bool):
            return
        if not isinstance(schema, dict):
            yield SchemaFault(place.path, "PE008", "a schema is a mapping, true or false")
            return
        types = _types_of(schema, place.types)
        inner = dataclasses.replace(place, types=types, declared=_declared(schema, place.declared))
        sound = True
        for key, value in schema.items():
            for fault in self._keyword(key, value, inner):
                sound = False
                yield fault
        if sound:
            yield from conflicts(schema, types, place.path, whole=place.whole)

    def _keyword(self, key: object, value: object, place: _Place) -> Iterator[SchemaFault]:
        path = (*place.path, key if isinstance(key, str) else str(key))
        keyword = KEYWORDS.get(key) if isinstance(key, str) else None
        if keyword is None:
            fault, keyword = self._not_standard(str(key), path, place)
            if fault is not None:
                yield fault
                return
        if keyword is None:
            return
        yield from _needs_type(str(key), keyword, place)
        shape = SHAPES.get(keyword.shape)
        if shape is not None:
            yield from shape(value, path)
        else:
            yield from self._holder(keyword.shape, value, path, place)
        if key == "required":
            yield from _undeclared(value, path, place.declared)

    def _not_standard(
        self, key: str, path: SchemaPath, place: _Place
    ) -> tuple[SchemaFault | None, Keyword | None]:
        """Judge a key that is no keyword of JSON Schema."""
        if key in OURS:
            if key == "optional":
                if place.optional:
                    return None, OURS[key]
                spot = 'at the top and directly under "properties"'
            elif place.ours:
                return None, OURS[key]
            else:
                spot = _MESSAGE_PLACE if self._allow_ours else "in the schemas of arguments"
            message = f'"{key}" cannot stand here'
            return SchemaFault(path, "PE015", message, f"it may stand {spot}", on_key=True), None
        if key in LATER_KEYWORDS and self._allow_ours:
            message = f'this version does not have "{key}" yet'
            return SchemaFault(path, "PE018", message, on_key=True), None
        known = [*KEYWORDS, *(OURS if self._allow_ours else ("optional",))]
        message = f'unknown keyword "{key}"'
        return SchemaFault(path, "PE006", message, suggest(key, known), on_key=True), None

    def _holder(
        self, shape: str, value: object, path: SchemaPath, place: _Place
    ) -> Iterator[SchemaFault]:
        """Find the faults of a keyword that holds schemas or refers to one."""
        key = path[-1]
        if shape == "ref":
            yield from self._reference(value, path)
        elif shape == "check":
            for fault in self._read_check(value):
                yield dataclasses.replace(fault, path=(*path, *fault.path))
        elif shape == "schema":
            yield from self.schema(value, self._below(str(key), path, place))
        elif shape == "schemas":
            if not isinstance(value, list) or not value:
                yield SchemaFault(path, "PE008", f'"{key}" takes a list of schemas, not empty')
                return
            for index, item in enumerate(value):
                yield from self.schema(item, self._below(str(key), (*path, index), place))
        else:
            yield from self._map(shape, value, path, place)

    def _map(
        self, shape: str, value: object, path: SchemaPath, place: _Place
    ) -> Iterator[SchemaFault]:
        """Find the faults of a keyword that maps names or patterns to schemas."""
        key = str(path[-1])
        if not isinstance(value, dict):
            yield SchemaFault(path, "PE008", f'"{key}" takes a mapping from a name to a schema')
            return
        if key == "$defs" and place.path:
            message, hint = '"$defs" cannot stand here', "it may stand at the top of a schema"
            yield SchemaFault(path, "PE015", message, hint, on_key=True)
            return
        for name, item in value.items():
            if not isinstance(name, str):
                yield SchemaFault((*path, str(name)), "PE008", "a key is a text", on_key=True)
                continue
            if shape == "pattern map":
                for fault in SHAPES["pattern"](name, (*path, name)):
                    yield dataclasses.replace(fault, on_key=True)
            yield from self.schema(item, self._below(key, (*path, name), place))
            if key == "$defs" and name in self._endless(name):
                message = f'"{name}" refers to itself without end'
                yield SchemaFault((*path, name), "PE015", message, on_key=True)

    def _below(self, key: str, path: SchemaPath, place: _Place) -> _Place:
        """Give the place of a schema below a keyword."""
        if key in IN_PLACE:
            return dataclasses.replace(
                place, path=path, ours=False, chain=False, optional=False, whole=False
            )
        chain = place.chain and key in {"properties", "items", "prefixItems"}
        return _Place(
            path=path,
            types=frozenset({"string"}) if key == "propertyNames" else None,
            ours=chain and self._allow_ours,
            chain=chain,
            optional=chain and key == "properties",
            whole=key not in {"contains", "propertyNames"},
        )

    def _reference(self, value: object, path: SchemaPath) -> Iterator[SchemaFault]:
        if not isinstance(value, str):
            yield SchemaFault(path, "PE008", '"$ref" takes a text')
        elif not value.startswith(_DEFINITIONS):
            hint = 'write "#/$defs/" and the name of a definition of this schema'
            yield SchemaFault(path, "PE015", f'"{value}" leads out of the definitions', hint)
        else:
            name = value.removeprefix(_DEFINITIONS)
            if name not in self._definitions or "/" in name or "%" in name or "~" in name:
                hint = suggest(name, self._definitions)
                yield SchemaFault(path, "PE011", f'"$defs" has no "{name}"', hint)

    def _endless(self, start: str) -> set[str]:
        """Collect the definitions that judge the same value as one definition does."""
        reached: set[str] = set()
        open_ends = [self._definitions.get(start)]
        while open_ends:
            schema = open_ends.pop()
            if not isinstance(schema, dict):
                continue
            reference = schema.get("$ref")
            if isinstance(reference, str) and reference.startswith(_DEFINITIONS):
                name = reference.removeprefix(_DEFINITIONS)
                if name not in reached:
                    reached.add(name)
                    open_ends.append(self._definitions.get(name))
            for key in IN_PLACE:
                below = schema.get(key)
                open_ends.extend(below if isinstance(below, list) else [below])
        return reached


def _types_of(schema: Mapping[str, object], around: frozenset[str] | None) -> frozenset[str] | None:
    """Collect the types that a schema names, or those that the schemas around it name."""
    written = schema.get("type")
    names = written if isinstance(written, list) else [written]
    own = frozenset(name for name in names if isinstance(name, str)) & TYPES
    return own if "type" in schema else around


def _needs_type(key: str, keyword: Keyword, place: _Place) -> Iterator[SchemaFault]:
    if not keyword.types or (place.types is not None and keyword.types & place.types):
        return
    wanted = " or ".join(f'"type: {name}"' for name in sorted(keyword.types, reverse=True))
    path = (*place.path, key)
    if place.types is None:
        message = f'"{key}" says nothing without a type'
        yield SchemaFault(path, "PE015", message, f"write {wanted} beside it", on_key=True)
    elif place.types:
        named = " or ".join(f'"{name}"' for name in sorted(place.types))
        message = f'"{key}" says nothing about the type {named}'
        yield SchemaFault(path, "PE015", message, f"it needs {wanted}", on_key=True)


def _declared(schema: Mapping[str, object], around: frozenset[str] | None) -> frozenset[str] | None:
    """Collect the properties that an object may have here; None where any may stand."""
    if around is None or "$ref" in schema or "patternProperties" in schema:
        return None
    if schema.get("additionalProperties", False) is not False:
        return None
    properties = schema.get("properties")
    names = around | frozenset(properties if isinstance(properties, dict) else ())
    for key in IN_PLACE:
        below = schema.get(key)
        for branch in below if isinstance(below, list) else [below]:
            if isinstance(branch, dict):
                found = _declared(branch, names)
                if found is None:
                    return None
                names = found
    return names


def _undeclared(
    value: object, path: SchemaPath, declared: frozenset[str] | None
) -> Iterator[SchemaFault]:
    if declared is None or not isinstance(value, list):
        return
    for index, name in enumerate(value):
        if isinstance(name, str) and name not in declared:
            hint = suggest(name, declared)
            message = f'"required" names "{name}", which "properties" does not declare'
            yield SchemaFault((*path, index), "PE011", message, hint)
