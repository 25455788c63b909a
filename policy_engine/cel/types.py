"""The types of expressions, and how a JSON Schema becomes one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

__all__ = [
    "BOOL",
    "BYTES",
    "CIDR",
    "DOUBLE",
    "DURATION",
    "DYN",
    "INT",
    "IP",
    "NULL",
    "STRING",
    "TIMESTAMP",
    "TYPE",
    "UINT",
    "Field",
    "ListType",
    "MapType",
    "OptionalType",
    "RecordType",
    "SimpleType",
    "Type",
    "TypeParameter",
    "constant_type",
    "described",
    "join",
    "named",
    "schema_type",
]


@dataclass(frozen=True, slots=True)
class Type:
    """What kind of value an expression yields."""


@dataclass(frozen=True, slots=True)
class SimpleType(Type):
    """A type without parts."""

    name: str

    def __str__(self) -> str:
        return self.name


BOOL = SimpleType("bool")
INT = SimpleType("int")
UINT = SimpleType("uint")
DOUBLE = SimpleType("double")
STRING = SimpleType("string")
BYTES = SimpleType("bytes")
TIMESTAMP = SimpleType("timestamp")
DURATION = SimpleType("duration")
NULL = SimpleType("null")
TYPE = SimpleType("type")
IP = SimpleType("ip")
CIDR = SimpleType("cidr")
DYN = SimpleType("dyn")
"""Any value; what it is shows at run time."""


@dataclass(frozen=True, slots=True)
class ListType(Type):
    """A list whose elements have one type."""

    element: Type

    def __str__(self) -> str:
        return f"list({self.element})"


@dataclass(frozen=True, slots=True)
class MapType(Type):
    """A map from keys of one type to values of one type."""

    key: Type
    value: Type

    def __str__(self) -> str:
        return f"map({self.key}, {self.value})"


@dataclass(frozen=True, slots=True)
class OptionalType(Type):
    """A value that may be missing, made by `optional.of`, `.?` and `[?`."""

    inner: Type

    def __str__(self) -> str:
        return f"optional({self.inner})"


@dataclass(frozen=True, slots=True)
class TypeParameter(Type):
    """A type that a function's signature leaves open."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field of a record."""

    type: Type
    optional: bool = False
    """Whether it may be absent or null; it is then read under has() only."""
    path: tuple[str, ...] | None = None
    """A parameter and the attributes to read from it, where the field is not read by item."""


@dataclass(frozen=True, slots=True)
class RecordType(Type):
    """A JSON object whose fields are declared."""

    name: str
    fields: Mapping[str, Field] = field(hash=False)
    open: bool = False
    """Whether other fields, of any type, may be present."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))

    def __str__(self) -> str:
        return self.name or "object"


def described(kind: Type) -> str:
    """Return a type's name with its article, for a message."""
    name = str(kind)
    if kind == NULL:
        return name
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def named(record: RecordType) -> str:
    """Return a record's name for a message."""
    return f'"{record.name}"' if record.name else "the object"


def join(first: Type, second: Type) -> Type:
    """Return the type that covers both; DYN where they have nothing in common."""
    if first == second:
        return first
    if isinstance(first, ListType) and isinstance(second, ListType):
        return ListType(join(first.element, second.element))
    if isinstance(first, MapType) and isinstance(second, MapType):
        return MapType(join(first.key, second.key), join(first.value, second.value))
    if isinstance(first, OptionalType) and isinstance(second, OptionalType):
        return OptionalType(join(first.inner, second.inner))
    return DYN


def join_all(types: Sequence[Type]) -> Type:
    """Return the type that covers all of them; DYN for none."""
    if not types:
        return DYN
    result = types[0]
    for one in types[1:]:
        result = join(result, one)
    return result


def constant_type(value: object) -> Type:
    """Return the type of a JSON constant."""
    simple = _SIMPLE.get(type(value))
    if simple is not None:
        return simple
    if isinstance(value, list | tuple):
        return ListType(join_all([constant_type(item) for item in value]))
    if isinstance(value, Mapping):
        return MapType(STRING, join_all([constant_type(item) for item in value.values()]))
    return DYN


_SIMPLE: Mapping[type, Type] = MappingProxyType(
    {bool: BOOL, int: INT, float: DOUBLE, str: STRING, type(None): NULL}
)
_NAMED: Mapping[str, Type] = MappingProxyType(
    {"string": STRING, "integer": INT, "number": DOUBLE, "boolean": BOOL, "null": NULL}
)


def schema_type(schema: Mapping[str, object] | bool) -> Type:  # noqa: FBT001 - a JSON Schema may be a boolean
    """Return the type of the values that a JSON Schema admits; DYN where it names no single one.

    A property counts as optional where its schema says `optional: true` or where the object's
    `required` is written without it.
    """
    if not isinstance(schema, Mapping):
        return DYN
    name = schema.get("type")
    if isinstance(name, str):
        if name in _NAMED:
            return _NAMED[name]
        if name == "array":
            return ListType(_sub(schema.get("items")) if "prefixItems" not in schema else DYN)
        if name == "object":
            return _object_type(schema)
        return DYN
    if name is not None:
        return DYN
    if "const" in schema:
        return _scalar(schema["const"])
    values = schema.get("enum")
    if isinstance(values, list | tuple) and values:
        return join_all([_scalar(value) for value in values])
    return DYN


def _scalar(value: object) -> Type:
    return _SIMPLE.get(type(value), DYN)


def _sub(schema: object) -> Type:
    return schema_type(schema) if isinstance(schema, Mapping) else DYN


def _object_type(schema: Mapping[str, object]) -> Type:
    properties = schema.get("properties")
    others = schema.get("additionalProperties")
    if not isinstance(properties, Mapping):
        if isinstance(others, Mapping):
            return MapType(STRING, _sub(others))
        return MapType(STRING, DYN)
    required = schema.get("required")
    fields = {
        str(key): Field(_sub(value), optional=_is_optional(str(key), value, required))
        for key, value in properties.items()
    }
    is_open = "additionalProperties" in schema and others is not False
    return RecordType("object", fields, open=is_open)


def _is_optional(key: str, schema: object, required: object) -> bool:
    if isinstance(schema, Mapping) and schema.get("optional") is True:
        return True
    return isinstance(required, list | tuple) and key not in required
