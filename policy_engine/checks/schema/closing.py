"""From the schema as written to the schema that is enforced.

Objects are closed, properties are required, and `optional` admits null: what the language
means and JSON Schema does not say. A schema is closed where a value of its own begins (the top,
a property, an item), so that the parts of an `allOf` may each describe some of an object.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from policy_engine.checks.schema.expansion import MAX_EXPANSION, expansion
from policy_engine.checks.schema.vocabulary import IN_PLACE, OURS, SchemaPath

__all__ = ["Closed", "close"]

_PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "allOf": "list",
        "anyOf": "list",
        "oneOf": "list",
        "then": "one",
        "else": "one",
        "$defs": "map",
    }
)
"""Keywords whose schemas describe some of a value; `not`, `if` and `contains` stay as written,
because closing them would loosen what they stand in."""

_VALUES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "properties": "map",
        "patternProperties": "map",
        "additionalProperties": "one",
        "items": "one",
        "prefixItems": "list",
    }
)
"""Keywords whose schemas judge values of their own."""

_IN_PLACE: Final = frozenset({*IN_PLACE, "$ref"})
_SAYS_MORE_OF_NULL: Final = frozenset({*_IN_PLACE, "enum", "const"})


@dataclass(frozen=True, slots=True)
class Closed:
    """A schema as it is enforced."""

    schema: dict[str, object]
    wrapped: frozenset[SchemaPath]
    """The places whose schema stands one `else` deeper, because null is admitted first."""

    def written(self, path: SchemaPath) -> SchemaPath:
        """Lead a path into the enforced schema back to the schema as written."""
        written: SchemaPath = ()
        index = 0
        while index < len(path):
            if written in self.wrapped and path[index] == "else":
                index += 1
                if index == len(path):
                    break
            written = (*written, path[index])
            index += 1
        return written


def close(schema: Mapping[str, object], *, closed: bool = True) -> Closed:
    """Say in JSON Schema all that a schema of the language means.

    Args:
        schema: A schema that `check_schema` found no fault with.
        closed: Whether objects are closed where `additionalProperties` is not written.

    Raises:
        ValueError: Its references lead to more schemas than anything could compile.
    """
    if expansion(schema) > MAX_EXPANSION:
        raise ValueError("its references lead to too many schemas")
    closer = _Closer(closed=closed)
    return Closed(closer.value(schema, ()), frozenset(closer.wrapped))


@dataclass(slots=True)
class _Closer:
    closed: bool
    wrapped: set[SchemaPath] = field(default_factory=set)

    def value(self, schema: Mapping[str, object], path: SchemaPath) -> dict[str, object]:
        """Close a schema where a value of its own begins."""
        enforced = self.part(schema, path)
        if self.closed:
            _shut(enforced)
        if schema.get("optional") is not True:
            return enforced
        if "type" in enforced and enforced.keys().isdisjoint(_SAYS_MORE_OF_NULL):
            names = enforced["type"]
            enforced["type"] = [*(names if isinstance(names, list) else [names]), "null"]
            enforced["type"] = sorted(set(enforced["type"]))  # type: ignore[call-overload]
            return enforced
        self.wrapped.add(path)
        definitions = {key: enforced.pop(key) for key in ("$defs",) if key in enforced}
        return {**definitions, "if": {"type": "null"}, "then": True, "else": enforced}

    def part(self, schema: Mapping[str, object], path: SchemaPath) -> dict[str, object]:
        """Translate a schema that judges some or all of a value."""
        enforced: dict[str, object] = {}
        for key, below in schema.items():
            if key not in OURS:
                enforced[key] = self._keyword(key, below, (*path, key))
        properties = schema.get("properties")
        if isinstance(properties, dict) and "required" not in schema:
            required = [name for name, item in properties.items() if not _is_optional(item)]
            if required:
                enforced["required"] = required
        return enforced

    def _keyword(self, key: str, below: object, path: SchemaPath) -> object:
        if key in _VALUES:
            return _each(_VALUES[key], below, path, self.value)
        if key in _PARTS:
            return _each(_PARTS[key], below, path, self.part)
        return below


def _each(
    form: str,
    below: object,
    path: SchemaPath,
    translate: Callable[[Mapping[str, object], SchemaPath], object],
) -> object:
    """Translate one schema, a list of them or a mapping to them; true and false stay."""
    if form == "list" and isinstance(below, list):
        return [_each("one", item, (*path, index), translate) for index, item in enumerate(below)]
    if form == "map" and isinstance(below, dict):
        return {name: _each("one", item, (*path, name), translate) for name, item in below.items()}
    return translate(below, path) if isinstance(below, dict) else below


def _shut(enforced: dict[str, object]) -> None:
    """Refuse the properties that nothing in a schema speaks of."""
    if "additionalProperties" in enforced:
        return
    names = enforced.get("type", "object")
    if "object" not in (names if isinstance(names, list) else [names]):
        return
    if not _IN_PLACE.isdisjoint(enforced):
        enforced["unevaluatedProperties"] = False
    elif "type" in enforced:
        enforced["additionalProperties"] = False


def _is_optional(schema: object) -> bool:
    return isinstance(schema, dict) and schema.get("optional") is True
