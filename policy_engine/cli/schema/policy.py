"""The JSON Schema of policies: what editors complete and check, with the manual in it."""

from typing import Any, Final

from policy_engine.cli.schema.argument import argument_schema
from policy_engine.policy import SCHEMA_MARK, Policy

__all__ = ["policy_schema"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_CONSTANT: Final = {
    "type": "string",
    "pattern": r"^vars\.[A-Za-z_][A-Za-z0-9_]*$",
    "description": "A constant of this policy: what stands under its name in `vars`.",
}
_READ_AS_WRITTEN: Final = frozenset({"policy", "language", "vars", "when", "with", "of", "by"})
"""Keys whose values are never constants: ids, and expressions, which read constants themselves."""
_HOLDERS: Final = ("items", "additionalProperties")


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a policy file."""
    schema = Policy.model_json_schema(by_alias=True, mode="validation")
    models: dict[str, Any] = schema.pop("$defs")
    definitions = {name: _mapping(model) for name, model in models.items()}
    definitions["constant"] = _CONSTANT
    definitions["schema"] = argument_schema()
    return {
        "$schema": _DIALECT,
        **_mapping(schema),
        "title": "A policy of policy-engine",
        "$defs": dict(sorted(definitions.items())),
    }


def _mapping(schema: dict[str, Any]) -> dict[str, Any]:
    """Rewrite the schema of a mapping with known keys."""
    properties = {
        key: _property(value, constant=key not in _READ_AS_WRITTEN)
        for key, value in schema.get("properties", {}).items()
    }
    return {**_untitled(schema), "properties": properties}


def _property(schema: dict[str, Any], *, constant: bool) -> dict[str, Any]:
    """Rewrite the schema of a key: its text stays on the outside, where editors find it."""
    told = {key: schema[key] for key in ("description", "default") if schema.get(key) is not None}
    rest = {key: value for key, value in schema.items() if key not in {"description", "default"}}
    bare = _value(rest, constant=constant)
    if "default" in told and not isinstance(told["default"], str | int | bool):
        del told["default"]
    return {**told, **(_or_constant(bare) if constant else bare)}


def _value(schema: dict[str, Any], *, constant: bool) -> dict[str, Any]:
    """Rewrite the schema of a value and of what is in it."""
    if SCHEMA_MARK in schema:
        return {"$ref": "#/$defs/schema"}
    bare = _untitled(schema)
    for key in _HOLDERS:
        if isinstance(bare.get(key), dict):
            inner = _value(bare[key], constant=constant)
            bare[key] = _or_constant(inner) if constant else inner
    if "patternProperties" in bare:
        named = {
            pattern: _or_constant(_value(inner, constant=constant))
            for pattern, inner in bare["patternProperties"].items()
        }
        bare |= {"patternProperties": named, "additionalProperties": False}
    if "anyOf" in bare:
        members = [_value(member, constant=constant) for member in bare.pop("anyOf")]
        members = [member for member in members if member != {"type": "null"}]
        return {**bare, **members[0]} if len(members) == 1 else {**bare, "anyOf": members}
    return bare


def _or_constant(schema: dict[str, Any]) -> dict[str, Any]:
    """Let a constant stand for a value, unless any text may."""
    if not schema or (schema.get("type") == "string" and not schema.keys() & {"pattern", "enum"}):
        return schema
    members = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
    return {"anyOf": [*members, {"$ref": "#/$defs/constant"}]}


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "title"}
