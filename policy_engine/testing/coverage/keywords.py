"""Single keywords of a schema, each asked alone whether a value keeps it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from policy_engine.checks.schema import KEYWORDS, OURS, compile_schema, is_json, native

__all__ = ["Judge", "judge_of", "silent", "speaks_of"]

Judge: TypeAlias = Callable[[Any], bool]
"""Tells whether a value keeps a keyword."""

_COUNTING: Final[Mapping[str, dict[str, Any]]] = {
    "contains": {},
    "minContains": {},
    "maxContains": {"minContains": 0},
}
_HOLDS_SCHEMAS: Final = frozenset({"anyOf", "oneOf", "not", "if", "contains"})
_SILENT: Final = frozenset(
    {
        *("$defs", "$ref", "default", "deprecated", "description", "examples", "title"),
        *("message", "optional", "check", "properties", "patternProperties", "propertyNames"),
        *("prefixItems", "items", "additionalProperties", "allOf", "then", "else", "required"),
        *("dependentRequired", "type"),
    }
)
"""Keywords that judge nothing by themselves, or whose parts are asked one by one."""
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "array": (list,),
    "object": (dict,),
    "number": (int, float),
    "integer": (int, float),
}


def silent(schema: Mapping[str, Any], key: str) -> bool:
    """Whether a keyword is not asked as a whole."""
    if key in _SILENT or (key not in KEYWORDS and key not in OURS):
        return True
    if key == "contains":
        return "minContains" in schema
    return key == "uniqueItems" and schema[key] is False


def speaks_of(key: str, value: object) -> bool:
    """Whether a keyword is about values of such a type."""
    keyword = KEYWORDS.get(key) or OURS[key]
    if not keyword.types:
        return True
    if isinstance(value, bool):
        return False
    return isinstance(value, tuple(kind for name in keyword.types for kind in _TYPES[name]))


def judge_of(schema: Mapping[str, Any], key: str, definitions: Mapping[str, Any]) -> Judge:
    """Return what asks one keyword of a schema.

    Args:
        schema: As it is written.
        key: One of its keywords, which is not silent.
        definitions: What references in it lead to.
    """
    if key == "maxBytes":
        most = schema[key]
        return lambda value: len(value.encode("utf-8", "surrogatepass")) <= most
    if key not in _HOLDS_SCHEMAS and key not in _COUNTING:
        fits = native({key: schema[key]}).is_valid
        return lambda value: is_json(value) and fits(value)
    # Beside nothing else, so that what is closed around it stays open.
    alone: dict[str, Any] = {key: schema[key], "additionalProperties": True}
    if key in _COUNTING:
        alone = {**alone, "contains": schema["contains"], **_COUNTING[key], key: schema[key]}
    if key == "if":
        alone = {**alone, "then": True, "else": False}
    if definitions:
        alone["$defs"] = definitions
    return compile_schema(alone).fits
