"""Parts of one schema that do not go together."""

from collections.abc import Iterator, Mapping
from typing import Final

from policy_engine.checks.schema.shapes import is_number
from policy_engine.checks.schema.vocabulary import IN_PLACE, SchemaFault, SchemaPath

__all__ = ["conflicts", "has_type"]

_PAIRS: Final = (
    ("minimum", "maximum", False),
    ("exclusiveMinimum", "maximum", True),
    ("minimum", "exclusiveMaximum", True),
    ("exclusiveMinimum", "exclusiveMaximum", True),
    ("minLength", "maxLength", False),
    ("minItems", "maxItems", False),
    ("minContains", "maxContains", False),
    ("minProperties", "maxProperties", False),
    ("minLength", "maxBytes", False),
)
"""A lower bound, an upper bound, and whether they must not even be equal."""

_DESCRIBES_OBJECTS: Final = frozenset(
    {
        "properties",
        "patternProperties",
        "additionalProperties",
        "enum",
        "const",
        "$ref",
        *IN_PLACE,
    }
)

_COMPANIONS: Final = (
    ("minContains", ("contains",)),
    ("maxContains", ("contains",)),
    ("then", ("if",)),
    ("else", ("if",)),
    ("if", ("then", "else")),
)
"""A keyword, and those of which one must stand beside it."""


def has_type(value: object, name: str) -> bool:
    """Tell whether a JSON value is of a type of JSON Schema."""
    match name:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "number":
            return is_number(value)
    return is_number(value) and value == int(value)  # type: ignore[call-overload]


def conflicts(
    schema: Mapping[str, object],
    types: frozenset[str] | None,
    path: SchemaPath,
    *,
    whole: bool,
) -> Iterator[SchemaFault]:
    """Find keywords of one schema that contradict each other.

    Args:
        schema: A schema whose keywords have the right form, each taken alone.
        types: The types that it may have; None where it may have any.
        path: Where it stands.
        whole: Whether it judges a value of its own, and is closed there.
    """
    for low, high, strict in _PAIRS:
        least, most = schema.get(low), schema.get(high)
        if not (is_number(least) and is_number(most)):
            continue
        if least > most or (strict and least == most):  # type: ignore[operator]
            message = f'"{low}" {least} and "{high}" {most} leave no value'
            yield SchemaFault((*path, low), "PE020", message)
    for keyword, companions in _COMPANIONS:
        if keyword in schema and not any(other in schema for other in companions):
            wanted = " or ".join(f'"{other}"' for other in companions)
            message = f'"{keyword}" does nothing without {wanted}'
            yield SchemaFault((*path, keyword), "PE021", message, on_key=True)
    if types is not None:
        yield from _values_against(types, schema, path)
        if whole:
            yield from _empty_object(types, schema, path)
    yield from _promises(schema, path)


def _empty_object(
    types: frozenset[str], schema: Mapping[str, object], path: SchemaPath
) -> Iterator[SchemaFault]:
    """Find objects that, being closed, could only be empty."""
    if "object" in types and "type" in schema and _DESCRIBES_OBJECTS.isdisjoint(schema):
        hint = 'write "properties", or "additionalProperties: true" for any object'
        message = "objects are closed, so this one could only be empty"
        yield SchemaFault((*path, "type"), "PE020", message, hint)


def _values_against(
    types: frozenset[str], schema: Mapping[str, object], path: SchemaPath
) -> Iterator[SchemaFault]:
    named = " or ".join(f'"{name}"' for name in sorted(types))
    if "const" in schema and not any(has_type(schema["const"], name) for name in types):
        yield SchemaFault((*path, "const"), "PE020", f"this value is not of the type {named}")
    values = schema.get("enum")
    for index, value in enumerate(values if isinstance(values, list) else ()):
        if not any(has_type(value, name) for name in types):
            message = f"this value is not of the type {named}"
            yield SchemaFault((*path, "enum", index), "PE020", message)


def _promises(schema: Mapping[str, object], path: SchemaPath) -> Iterator[SchemaFault]:
    """Find properties that are required and optional at once."""
    required, properties = schema.get("required"), schema.get("properties")
    if not isinstance(required, list) or not isinstance(properties, dict):
        return
    for name, below in properties.items():
        optional = below.get("optional") if isinstance(below, dict) else None
        if optional is True and name in required:
            message = f'"{name}" is in "required" and "optional: true" at once'
            yield SchemaFault((*path, "properties", name, "optional"), "PE021", message)
        if optional is False and name not in required:
            message = f'"{name}" is "optional: false" and not in "required"'
            yield SchemaFault((*path, "properties", name, "optional"), "PE021", message)
