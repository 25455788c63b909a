"""A bound that the tool's own schema makes idle.

What it does:
    With `--tools`, reports a `minimum`, `maximum`, `minLength` or `maxLength` that is wider than
    what the tool's own schema accepts. Alternatives (`anyOf`, `oneOf`, `if`) are looked into on
    both sides: `Optional[int]` is an alternative of a number and of null. So are the properties
    of objects and the elements of lists.

Why:
    It reads as if the policy restricted something. The day the tool takes more, so does the
    policy.

Fails:
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object",
    # tools.json: "properties": {"amount": {"type": "number", "maximum": 100}}}}]
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 500}}}
    ---
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object", "properties":
    # tools.json: {"amount": {"anyOf": [{"type": "integer", "maximum": 100}, {"type": "null"}]}}}}]
    tools:
      pay: {args: {amount: {type: integer, minimum: 0, maximum: 500}}}

Passes:
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object",
    # tools.json: "properties": {"amount": {"type": "number", "maximum": 100}}}}]
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}
    ---
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object", "properties":
    # tools.json: {"amount": {"anyOf": [{"type": "integer", "maximum": 9}, {"type": "number"}]}}}}]
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 500}}}

Fix:
    Narrow the bound to what is meant, at most to the tool's own.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias, TypeGuard

from policy_engine.lint.proof.schema import ELEMENT, at, values_of
from policy_engine.lint.registered import tools_for
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Entry, Subject
from policy_engine.source import Path

__all__ = ["RULE"]

Bound: TypeAlias = tuple[Path, str, float, str]
_BOUNDS: Final = {"minimum": -1, "maximum": 1, "minLength": -1, "maxLength": 1}
"""Keyword -> the direction in which it gets wider."""
_LISTS: Final = ("allOf", "anyOf", "oneOf")
_BRANCHES: Final = ("then", "else")
_DEPTH: Final = 6


def _find(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        for tool in tools_for(subject, entry):
            for argument, schema in (entry.block.args or {}).items():
                theirs = tool.properties.get(argument)
                if isinstance(theirs, Mapping) and isinstance(schema, Mapping):
                    path = (*entry.path, "args", argument)
                    yield from _wide(entry, path, schema, theirs, depth=0)


def _wide(
    entry: Entry, path: Path, schema: Mapping[str, Any], theirs: Any, *, depth: int
) -> Iterator[Found]:
    """Find the bounds of a schema, and of those inside, that the tool's values never meet."""
    for place, key, mine, kind in _bounds(path, schema, depth):
        least, most = _ends(kind, theirs)
        other, wide = (most, mine > most) if _BOUNDS[key] > 0 else (least, mine < least)
        if wide and math.isfinite(other):
            said = int(other) if other == int(other) else other
            message = f'"{key}" {mine} does nothing: the tool itself says {said}'
            yield Found(entry.policy, place, message, "narrow it to what is meant")
    if depth > _DEPTH:
        return
    properties = schema.get("properties")
    for name, below in properties.items() if isinstance(properties, Mapping) else ():
        inner = at(theirs, [name])
        if isinstance(below, Mapping) and isinstance(inner, Mapping):
            yield from _wide(entry, (*path, "properties", name), below, inner, depth=depth + 1)
    items, inner = schema.get("items"), at(theirs, [ELEMENT])
    if isinstance(items, Mapping) and isinstance(inner, Mapping):
        yield from _wide(entry, (*path, "items"), items, inner, depth=depth + 1)


def _bounds(path: Path, schema: Mapping[str, Any], depth: int) -> Iterator[Bound]:
    """Go through the bounds of a value, each with its place and the type that it is for."""
    for key in _BOUNDS:
        mine = schema.get(key)
        if _is_number(mine):
            yield (*path, key), key, mine, "string" if key.endswith("Length") else "number"
    if depth > _DEPTH:
        return
    inner: list[tuple[Path, Any]] = [((key,), schema.get(key)) for key in _BRANCHES]
    for key in _LISTS:
        inner.extend(((key, index), part) for index, part in enumerate(schema.get(key) or ()))
    for steps, part in inner:
        if isinstance(part, Mapping):
            yield from _bounds((*path, *steps), part, depth + 1)


def _ends(kind: str, theirs: Any) -> tuple[float, float]:
    """Return the least and the most that the tool takes: of a text, its length."""
    values = values_of(theirs)
    values.be(kind)
    if kind == "string":
        return values.lengths
    return values.lowest[0], values.highest[0]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


RULE: Final = LintRule("PE115", "ineffective-bound", "info", __doc__ or "", _find, needs_tools=True)
