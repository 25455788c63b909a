"""The JSON Schema of the schemas in a policy: the closed vocabulary, keyword by keyword."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from policy_engine.checks.schema.vocabulary import FORMATS, KEYWORDS, OURS, TYPES

__all__ = ["argument_schema"]

_SELF: Final = {"$ref": "#/$defs/schema"}
_NESTED: Final = {"anyOf": [{"type": "boolean"}, _SELF]}
_NAMES: Final = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
_CONSTANT: Final = {"$ref": "#/$defs/constant"}

_SHAPES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "types": {
            "anyOf": [
                {"enum": sorted(TYPES)},
                {"type": "array", "items": {"enum": sorted(TYPES)}, "minItems": 1},
            ]
        },
        "enum": {"anyOf": [{"type": "array", "minItems": 1}, _CONSTANT]},
        "value": {},
        "values": {"type": "array"},
        "positive": {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, _CONSTANT]},
        "number": {"anyOf": [{"type": "number"}, _CONSTANT]},
        "count": {"anyOf": [{"type": "integer", "minimum": 0}, _CONSTANT]},
        "pattern": {"type": "string"},
        "format": {"anyOf": [{"enum": sorted(FORMATS)}, _CONSTANT]},
        "flag": {"type": "boolean"},
        "text": {"type": "string"},
        "ref": {"type": "string", "pattern": "^#"},
        "names": {"anyOf": [_NAMES, _CONSTANT]},
        "name lists": {"type": "object", "additionalProperties": _NAMES},
        "schema": {"anyOf": [{"type": "boolean"}, _SELF, _CONSTANT]},
        "schemas": {"type": "array", "items": _NESTED, "minItems": 1},
        "schema map": {"anyOf": [{"type": "object", "additionalProperties": _NESTED}, _CONSTANT]},
        "pattern map": {"type": "object", "additionalProperties": _NESTED},
        "check": {"anyOf": [{"$ref": "#/$defs/Check"}, _CONSTANT]},
    }
)

_MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "type": "The type, or a list of types. `integer` and `number` never take text or booleans.",
        "enum": "The values that are taken, and no other.",
        "const": "The one value that is taken.",
        "multipleOf": "The number is a multiple of this.",
        "minimum": "The number is this or greater.",
        "maximum": "The number is this or less.",
        "exclusiveMinimum": "The number is greater than this.",
        "exclusiveMaximum": "The number is less than this.",
        "minLength": "The text has at least so many characters.",
        "maxLength": "The text has at most so many characters.",
        "pattern": "A regular expression; anchor it with ^ and $ to match the whole text.",
        "format": "The text has this form.",
        "items": "What each item is, after those of `prefixItems`.",
        "prefixItems": "What the first items are, one by one.",
        "contains": "What at least one item is.",
        "minContains": "How many items `contains` fits at least.",
        "maxContains": "How many items `contains` fits at most.",
        "minItems": "The list has at least so many items.",
        "maxItems": "The list has at most so many items.",
        "uniqueItems": "Whether no item may stand twice.",
        "properties": "Key -> what its value is. Other keys are refused unless "
        "`additionalProperties` is written.",
        "patternProperties": "Pattern -> what the values of keys that match it are.",
        "additionalProperties": "What the values of other keys are; false (the default) refuses "
        "them.",
        "propertyNames": "What each key is.",
        "required": "The keys that must be there.",
        "minProperties": "The object has at least so many keys.",
        "maxProperties": "The object has at most so many keys.",
        "dependentRequired": "Key -> the keys that must be there if it is.",
        "anyOf": "At least one of these fits.",
        "oneOf": "Exactly one of these fits.",
        "allOf": "All of these fit.",
        "not": "This does not fit.",
        "if": "Where this fits, `then` must fit, and `else` otherwise.",
        "then": "What must fit where `if` does.",
        "else": "What must fit where `if` does not.",
        "$ref": "A definition of this schema, such as `#/$defs/address`.",
        "$defs": "Name -> a schema that `$ref` can refer to.",
        "title": "A name for the reader.",
        "description": "For the reader.",
        "default": "What stands for an absent value; for the reader.",
        "examples": "Values as they may be; for the reader.",
        "deprecated": "Whether it should not be used any more; for the reader.",
        "optional": "Whether it may be absent or null, which expressions test with `has()`.",
        "message": "What the model is told when the value does not fit.",
        "maxBytes": "The text has at most so many bytes in UTF-8.",
        "check": "A text check; a text that breaks it does not fit.",
    }
)


def argument_schema() -> dict[str, Any]:
    """Return the JSON Schema of a schema in a policy."""
    properties = {
        name: {"description": _MEANINGS[name], **_SHAPES[keyword.shape]}
        for name, keyword in {**KEYWORDS, **OURS}.items()
    }
    return {
        "description": "A JSON Schema (2020-12) with a closed vocabulary and a few keywords of "
        "policies. Objects are closed unless `additionalProperties` is written.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
