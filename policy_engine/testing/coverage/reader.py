"""From a schema as it is written to what its keywords ask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from policy_engine.checks.schema import KEYWORDS, OURS, SchemaPath, compile_schema, is_json, native
from policy_engine.testing.coverage.item import EVERY, TOLD, Item, Outcome
from policy_engine.testing.coverage.keywords import Judge, judge_of, silent
from policy_engine.testing.coverage.schema import Node, TextAsk

__all__ = ["MakeItem", "Texts", "read_schema"]

MakeItem: TypeAlias = Callable[[SchemaPath, frozenset[Outcome]], Item]
"""Names a part of a schema by its place, and by the outcomes that it may have."""
Texts: TypeAlias = Callable[[Any, SchemaPath, bool], list[TextAsk]]
"""Reads the value of `check` at a place; whether it may be silent."""

_DEFINITIONS: Final = "#/$defs/"
_PARTS: Final = ("allOf", "anyOf", "oneOf")
_IN_PLACE: Final = frozenset({*_PARTS, "not", "if", "then", "else", "$ref"})
_LEAST: Final = ("minLength", "minItems", "minProperties", "minContains")
_OPEN: Final = {"additionalProperties": True}
_OBJECTS: Final = frozenset({"properties", "patternProperties"})
_INTEGERS: Final = frozenset({"number", "integer"})


@dataclass(frozen=True, slots=True)
class _Place:
    """What is known of the spot where a schema stands."""

    path: SchemaPath = ()
    types: frozenset[str] | None = None
    """The types that the schemas around it leave; None where none is written."""
    may_be_silent: bool = False
    whole: bool = True
    """Whether a value of its own begins here."""
    closing: bool = True
    """Whether properties are needed that are not optional."""


def read_schema(
    schema: Mapping[str, Any], make: MakeItem, texts: Texts, *, may_be_silent: bool
) -> Node:
    """Read a schema that loads.

    Args:
        schema: As it is written.
        make: Names a part of it.
        texts: Reads the value of `check`.
        may_be_silent: Whether the whole may be absent.
    """
    reader = _Reader(schema.get("$defs") or {}, make, texts)
    node = reader.read(schema, _Place(may_be_silent=may_be_silent))
    return node or Node()


class _Reader:
    """Reads one schema with all that is below it."""

    def __init__(self, definitions: Mapping[str, Any], make: MakeItem, texts: Texts) -> None:
        self._definitions = definitions
        self._make = make
        self._texts = texts
        self._referred: dict[str, Node] = {}

    def read(self, schema: Any, place: _Place, node: Node | None = None) -> Node | None:
        """Return what a schema asks; None for one that takes everything."""
        node = Node() if node is None else node
        if schema is False:
            node.refuses = self._item(place, (), TOLD)
            return node
        if not isinstance(schema, Mapping):
            return None
        types = place.types
        if "type" in schema:
            names = schema["type"]
            types = frozenset(names if isinstance(names, list) else [names])
            fits = native({"type": schema["type"]}).is_valid
            # What the schemas around it leave may be what it takes: nothing breaks it then.
            left = place.types is not None and place.types <= types
            item = self._item(place, ("type",), TOLD - {Outcome.MATCH} if left else TOLD)
            node.type = (item, lambda value: is_json(value) and fits(value))
        here = _Place(place.path, types, place.may_be_silent, place.whole, place.closing)
        for key in schema:
            if not silent(schema, key):
                judge = judge_of(schema, key, self._definitions)
                if key == "if":
                    node.condition = judge
                    node.asks.append((self._asked(schema, key, here), key, _not(judge)))
                else:
                    node.asks.append((self._asked(schema, key, here), key, judge))
        if "check" in schema:
            node.texts = self._texts(
                schema["check"], (*here.path, "check"), self._is_mute(frozenset({"string"}), here)
            )
        self._read_parts(schema, here, node)
        self._read_object(schema, here, node)
        self._read_list(schema, here, node)
        return node

    def _item(self, place: _Place, path: SchemaPath, outcomes: frozenset[Outcome]) -> Item:
        more = {Outcome.CANNOT_TELL} if place.may_be_silent else frozenset()
        return self._make((*place.path, *path), outcomes | more)

    def _asked(self, schema: Mapping[str, Any], key: str, place: _Place) -> Item:
        about = (KEYWORDS.get(key) or OURS[key]).types
        outcomes = TOLD
        if key in _LEAST and schema[key] == 0:
            outcomes = frozenset({Outcome.NO_MATCH})
        if about and self._is_mute(about, place):
            outcomes |= {Outcome.CANNOT_TELL}
        return self._item(place, (key,), outcomes)

    def _is_mute(self, about: frozenset[str], place: _Place) -> bool:
        if place.may_be_silent or place.types is None:
            return True
        return bool(place.types - about - (_INTEGERS if about & _INTEGERS else frozenset()))

    def _read_parts(self, schema: Mapping[str, Any], place: _Place, node: Node) -> None:
        """Read what judges the same value."""
        for key in _PARTS:
            for i, below in enumerate(schema.get(key) or ()):
                self._add(node.parts, below, self._beside(place, (key, i)))
        for key in ("not", "if"):
            if key in schema:
                self._add(node.parts, schema[key], self._beside(place, (key,), closing=False))
        for key in ("then", "else"):
            if key in schema and "if" in schema:
                below = self.read(schema[key], self._beside(place, (key,), may_be_silent=True))
                if key == "then":
                    node.then = below
                else:
                    node.otherwise = below
        if "$ref" in schema:
            node.parts.append(self._refer(schema["$ref"].removeprefix(_DEFINITIONS)))

    def _add(self, parts: list[Node], schema: Any, place: _Place) -> None:
        below = self.read(schema, place)
        if below is not None:
            parts.append(below)

    def _refer(self, name: str) -> Node:
        node = self._referred.get(name)
        if node is None:
            node = self._referred[name] = Node()
            place = _Place(("$defs", name), may_be_silent=True, whole=False)
            self.read(self._definitions[name], place, node)
        return node

    def _beside(
        self,
        place: _Place,
        path: SchemaPath,
        *,
        may_be_silent: bool | None = None,
        closing: bool | None = None,
    ) -> _Place:
        """Return the place of a schema that judges the same value."""
        return _Place(
            path=(*place.path, *path),
            types=place.types,
            may_be_silent=place.may_be_silent if may_be_silent is None else may_be_silent,
            whole=False,
            closing=place.closing if closing is None else closing,
        )

    def _under(self, place: _Place, path: SchemaPath, *, needed: bool, key: str) -> _Place:
        """Return the place of a schema that judges a value of its own."""
        mute = place.may_be_silent or not needed
        mute = mute or place.types is None or len(place.types) > 1
        closing = place.closing and key not in ("contains", "propertyNames")
        types = frozenset({"string"}) if key == "propertyNames" else None
        return _Place((*place.path, *path), types, mute, closing, closing)

    def _read_object(self, schema: Mapping[str, Any], place: _Place, node: Node) -> None:
        mixed = self._is_mute(frozenset({"object"}), place)
        outcomes = EVERY if mixed else TOLD
        declared = schema.get("properties") or {}
        written = schema.get("required")
        for name, below in declared.items():
            may_lack = name not in written if written is not None else _is_optional(below)
            may_lack = may_lack or (written is None and not place.closing)
            if place.closing or not may_lack:
                word = "optional" if may_lack else "required"
                path = ("properties", name, word)
                node.presence[name] = (self._item(place, path, outcomes), may_lack)
            under = self._under(place, ("properties", name), needed=not may_lack, key="properties")
            read = self.read(below, under)
            if read is not None:
                node.properties[name] = read
            else:
                node.properties.setdefault(name, Node())
        for i, name in enumerate(written or ()):
            if name not in declared:
                node.needed.append((self._item(place, ("required", i), outcomes), name))
        for trigger, names in (schema.get("dependentRequired") or {}).items():
            item = self._item(place, ("dependentRequired", trigger), EVERY)
            node.depending.append((item, trigger, list(names)))
        self._read_names(schema, place, node, outcomes)
        if place.whole and place.closing:
            self._close(schema, place, node, outcomes)

    def _read_names(
        self, schema: Mapping[str, Any], place: _Place, node: Node, outcomes: frozenset[Outcome]
    ) -> None:
        """Read what is asked of properties that are not declared one by one."""
        for pattern, below in (schema.get("patternProperties") or {}).items():
            way = ("patternProperties", pattern)
            matches = native({"pattern": pattern}).is_valid
            read = self.read(below, self._under(place, way, needed=False, key=way[0]))
            node.patterns.append((self._item(place, way, outcomes), matches, read))
        for key in ("propertyNames", "additionalProperties"):
            under = self._under(place, (key,), needed=False, key=key)
            below = self.read(schema[key], under) if key in schema else None
            if key == "propertyNames":
                node.names = below
            else:
                node.rest = below

    def _close(
        self, schema: Mapping[str, Any], place: _Place, node: Node, outcomes: frozenset[Outcome]
    ) -> None:
        """Ask whether an object holds only what its schema speaks of."""
        if "additionalProperties" in schema:
            return
        if place.types is not None and "object" not in place.types:
            return
        in_place = not _IN_PLACE.isdisjoint(schema)
        if not (_speaks_of_objects(schema) if in_place else "type" in schema):
            return
        item = self._item(place, ("additionalProperties",), outcomes)
        if not in_place:
            matches = [judge for _, judge, _ in node.patterns]
            known = node.properties.keys()
            node.closed = (
                item,
                lambda value: all(n in known or any(m(n) for m in matches) for n in value),
            )
            return
        defs = {"$defs": self._definitions} if self._definitions else {}
        bare = {key: below for key, below in schema.items() if key != "optional"}
        open_ = compile_schema({**bare, **_OPEN, **defs})
        shut = compile_schema({**bare, **defs})
        node.closed = (item, lambda value: shut.fits(value) if open_.fits(value) else None)

    def _read_list(self, schema: Mapping[str, Any], place: _Place, node: Node) -> None:
        for i, below in enumerate(schema.get("prefixItems") or ()):
            under = self._under(place, ("prefixItems", i), needed=False, key="prefixItems")
            node.first.append(self.read(below, under))
        for key in ("items", "contains"):
            under = self._under(place, (key,), needed=False, key=key)
            below = self.read(schema[key], under) if key in schema else None
            if key == "items":
                node.items = below
            else:
                node.contains = below


def _speaks_of_objects(schema: Any) -> bool:
    """Whether an object could fit a schema that judges one value by several parts."""
    if not isinstance(schema, Mapping):
        return False
    if "$ref" in schema or not _OBJECTS.isdisjoint(schema):
        return True
    names = schema.get("type", ())
    if "object" in (names if isinstance(names, list) else [names]):
        return True
    parts = [part for key in _PARTS for part in schema.get(key) or ()]
    return any(map(_speaks_of_objects, (*parts, schema.get("then"), schema.get("else"))))


def _is_optional(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("optional") is True


def _not(judge: Judge) -> Judge:
    """Return what is broken where a condition holds: that is its match."""
    return lambda value: not judge(value)
