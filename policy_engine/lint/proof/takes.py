"""What tools themselves take of their arguments, as far as their schemas can be read.

Other people's schemas are put into the words of the language: what it has no words for is left
out, which only makes more values possible. What contradicts the policy is left out too (that has a
rule of its own), and so is everything where a schema still cannot be read.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from policy_engine.checks.arguments import Arguments, check_schema, compile_arguments
from policy_engine.errors import PolicyEngineError
from policy_engine.lint.proof.apart import are_apart
from policy_engine.lint.proof.schema import KINDS, values_of
from policy_engine.lint.subject import Subject
from policy_engine.text import Patterns

__all__ = ["contradicts", "fits_tool", "narrowed", "readable", "taken"]

_DEPTH: Final = 6
_ANY: Final[Mapping[str, Any]] = {}


_NUMBERS: Final = frozenset({"number", "integer"})
_KEPT: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"), _NUMBERS),
    "multipleOf": _NUMBERS,
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), frozenset({"string"})),
    **dict.fromkeys(("minItems", "maxItems"), frozenset({"array"})),
}
"""Keyword -> the types that it is about."""


def taken(subject: Subject, name: str) -> Mapping[str, Any]:
    """Return what a tool takes of each argument, in the words of the language."""
    if subject.tools is None:
        return _ANY
    return subject.once(f"taken {name}", lambda: (_taken(subject, name),))[0]


def _taken(subject: Subject, name: str) -> Mapping[str, Any]:
    tool = subject.plain_tools.get(name)
    found: dict[str, Any] = {}
    for argument, schema in tool.properties.items() if tool is not None else ():
        made = readable(schema)
        ours = [
            entry.block.args[argument]
            for entry in subject.entries_of(name)
            if entry.block.args is not None and argument in entry.block.args
        ]
        if not made or any(contradicts(subject, one, schema) for one in ours):
            continue
        is_there = tool is not None and argument in tool.required and not _admits_null(made)
        found[argument] = made if is_there else {**made, "optional": True}
    return found


def contradicts(subject: Subject, ours: Any, theirs: Any) -> bool:
    """Whether no value of an argument fits both what the policy and what its tool says of it."""
    key = f"apart {id(ours)} {id(theirs)}"  # both are kept as long as the subject is
    return subject.once(key, lambda: (are_apart(ours, theirs),))[0]


def readable(schema: Any) -> Mapping[str, Any]:
    """Return what can be read of a tool's schema without references, in the language's words."""
    made = _read(schema, 0)
    for without in ((), ("pattern", "format")):
        left: Mapping[str, Any] = _without(made, without)
        if not check_schema(left, top=True, allow_ours=False):
            return left
    return _ANY


def _read(schema: Any, depth: int) -> dict[str, Any]:
    """Return what can be read of a schema; nothing where it may say anything."""
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return {}
    made = _plain(schema)
    kinds = _named(made)
    if "array" in kinds and (items := _read(schema.get("items"), depth + 1)):
        made["items"] = items
    if "object" in kinds:
        made["additionalProperties"] = True
        if below := _properties(schema, depth + 1):
            made["properties"] = below
    # What was left out of the alternatives makes more than one of them fit.
    for key, ours in (("allOf", "allOf"), ("anyOf", "anyOf"), ("oneOf", "anyOf")):
        parts = [_read(part, depth + 1) for part in schema.get(key, ())]
        said = [part for part in parts if part]
        if said and ours not in made and (len(said) == len(parts) or key == "allOf"):
            made[ours] = said
    return made


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a schema says of its value as a whole."""
    made: dict[str, Any] = {}
    kinds = _named(schema)
    if kinds and all(kind in KINDS for kind in kinds):
        made["type"] = kinds[0] if len(kinds) == 1 else kinds
    for key, about in _KEPT.items():
        if key in schema and not about.isdisjoint(_named(made)):
            made[key] = schema[key]
    return made | {key: schema[key] for key in ("const", "enum") if key in schema}


def _properties(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    required = schema.get("required", [])
    below = schema.get("properties", {})
    read = {name: made for name in below if (made := _read(below[name], depth))}
    return {
        name: made if name in required and not _admits_null(made) else {**made, "optional": True}
        for name, made in read.items()
    }


def _named(schema: Mapping[str, Any]) -> list[Any]:
    found = schema.get("type", [])
    return found if isinstance(found, list) else [found]


def _admits_null(schema: Mapping[str, Any]) -> bool:
    return values_of(schema).admits(None)


def _without(schema: Any, left_out: Sequence[str]) -> Any:
    """Return a schema without some keywords, and without them in any that stands inside."""
    if isinstance(schema, list):
        return [_without(part, left_out) for part in schema]
    if not isinstance(schema, dict) or not left_out:
        return schema
    made = {key: value for key, value in schema.items() if key not in left_out}
    for key in ("items", "allOf", "anyOf"):
        if key in made:
            made[key] = _without(made[key], left_out)
    if "properties" in made:
        below = made["properties"]
        made["properties"] = {name: _without(one, left_out) for name, one in below.items()}
    return made


def narrowed(
    declared: Mapping[str, list[Any]] | None, theirs: Mapping[str, Any]
) -> Mapping[str, list[Any]]:
    """Return what is declared of each argument, and what the tool takes of it.

    Args:
        declared: What the policy declares; None where it takes any arguments.
        theirs: What the tool takes.
    """
    if declared is None:
        return {name: [schema] for name, schema in theirs.items()}
    return {
        name: [*schemas, _beside(schemas, theirs[name])] if name in theirs else schemas
        for name, schemas in declared.items()
    }


def _beside(schemas: Sequence[Any], theirs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a tool takes of an argument that must be there where the policy says so."""
    made = {key: value for key, value in theirs.items() if key != "optional"}
    for ours in schemas:
        made = _within(ours, made)
    is_optional = any(isinstance(one, Mapping) and one.get("optional") is True for one in schemas)
    return {**made, "optional": True} if is_optional else made


def _within(ours: Any, theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool's schema without the properties that ours does not admit."""
    made = dict(theirs)
    if not isinstance(ours, Mapping):
        return made
    known, below = ours.get("properties"), made.get("properties")
    if isinstance(known, Mapping) and isinstance(below, Mapping):
        made["properties"] = {
            name: _within(known[name], schema) for name, schema in below.items() if name in known
        }
    if isinstance(made.get("items"), Mapping):
        made["items"] = _within(ours.get("items"), made["items"])
    return made


def fits_tool(subject: Subject, name: str, args: Mapping[str, Any]) -> bool:
    """Whether a tool itself takes the arguments of a call, as far as its schema can be read."""
    if not taken(subject, name):
        return True
    known = subject.once(f"arguments {name}", lambda: (_arguments(taken(subject, name)),))[0]
    return known is None or known.fits(args)


def _arguments(theirs: Mapping[str, Any]) -> Arguments | None:
    schemas = {name: {**schema, "optional": True} for name, schema in theirs.items()}
    try:
        return compile_arguments(schemas, closed=False, patterns=Patterns())
    except (PolicyEngineError, ValueError):
        return None
