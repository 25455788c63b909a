"""The closed vocabulary: which JSON Schema keywords policies take, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = [
    "FORMATS",
    "IN_PLACE",
    "KEYWORDS",
    "LATER_KEYWORDS",
    "OURS",
    "TYPES",
    "Keyword",
    "SchemaFault",
    "SchemaPath",
]

SchemaPath = tuple[str | int, ...]
"""Keys and positions that lead into a schema."""


@dataclass(frozen=True, slots=True, order=True)
class SchemaFault:
    """One thing that keeps a schema from being taken."""

    path: SchemaPath
    """Where in the schema; `()` is the schema itself."""
    code: str
    """One of `errors.FAULT_CODES`."""
    message: str
    hint: str = ""
    on_key: bool = False
    """Whether the last key of the path is the culprit, rather than its value."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """What a keyword takes, and which types it speaks about."""

    shape: str
    """The form of its value: a name that `grammar` knows."""
    types: frozenset[str] = frozenset()
    """The types that it constrains; empty: any."""


TYPES: Final = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})

_NUMBER = frozenset({"number", "integer"})
_STRING = frozenset({"string"})
_ARRAY = frozenset({"array"})
_OBJECT = frozenset({"object"})

KEYWORDS: Final[Mapping[str, Keyword]] = MappingProxyType(
    {
        "type": Keyword("types"),
        "enum": Keyword("enum"),
        "const": Keyword("value"),
        "multipleOf": Keyword("positive", _NUMBER),
        "minimum": Keyword("number", _NUMBER),
        "maximum": Keyword("number", _NUMBER),
        "exclusiveMinimum": Keyword("number", _NUMBER),
        "exclusiveMaximum": Keyword("number", _NUMBER),
        "minLength": Keyword("count", _STRING),
        "maxLength": Keyword("count", _STRING),
        "pattern": Keyword("pattern", _STRING),
        "format": Keyword("format", _STRING),
        "items": Keyword("schema", _ARRAY),
        "prefixItems": Keyword("schemas", _ARRAY),
        "contains": Keyword("schema", _ARRAY),
        "minContains": Keyword("count", _ARRAY),
        "maxContains": Keyword("count", _ARRAY),
        "minItems": Keyword("count", _ARRAY),
        "maxItems": Keyword("count", _ARRAY),
        "uniqueItems": Keyword("flag", _ARRAY),
        "properties": Keyword("schema map", _OBJECT),
        "patternProperties": Keyword("pattern map", _OBJECT),
        "additionalProperties": Keyword("schema", _OBJECT),
        "propertyNames": Keyword("schema", _OBJECT),
        "required": Keyword("names", _OBJECT),
        "minProperties": Keyword("count", _OBJECT),
        "maxProperties": Keyword("count", _OBJECT),
        "dependentRequired": Keyword("name lists", _OBJECT),
        "anyOf": Keyword("schemas"),
        "oneOf": Keyword("schemas"),
        "allOf": Keyword("schemas"),
        "not": Keyword("schema"),
        "if": Keyword("schema"),
        "then": Keyword("schema"),
        "else": Keyword("schema"),
        "$ref": Keyword("ref"),
        "$defs": Keyword("schema map"),
        "title": Keyword("text"),
        "description": Keyword("text"),
        "default": Keyword("value"),
        "examples": Keyword("values"),
        "deprecated": Keyword("flag"),
    }
)
"""The keywords of JSON Schema 2020-12 that policies take."""

OURS: Final[Mapping[str, Keyword]] = MappingProxyType(
    {
        "optional": Keyword("flag"),
        "message": Keyword("text"),
        "maxBytes": Keyword("count", _STRING),
        "check": Keyword("check", _STRING),
    }
)
"""The language's own keywords: at the top of an argument and under `properties`, `items` and
`prefixItems`."""

LATER_KEYWORDS: Final = frozenset({"within", "url", "email", "sql", "shell", "python", "cidr"})
"""Keywords of the language that this version does not have."""

IN_PLACE: Final = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
"""Keywords whose schemas judge the same value as the schema that holds them."""

FORMATS: Final = frozenset(
    {
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "idn-email",
        "idn-hostname",
        "ipv4",
        "ipv6",
        "iri",
        "iri-reference",
        "json-pointer",
        "regex",
        "relative-json-pointer",
        "time",
        "uri",
        "uri-reference",
        "uri-template",
        "uuid",
    }
)
"""The formats that are enforced, each proved by a test."""
