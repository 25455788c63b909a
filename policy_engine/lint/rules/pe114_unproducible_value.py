"""A listed value that the tool's own schema excludes.

What it does:
    With `--tools`, reports values of an `enum` that the tool's schema does not accept: of an
    entry's argument, of what a rule across tools asks of one, and of what is inside of either.

Why:
    Nobody will ever send them. Mostly they are the old spelling of values that are now denied, or
    a slip of a value that was meant to pass.

Fails:
    # tools.json: [{"name": "deploy", "inputSchema": {"type": "object",
    # tools.json: "properties": {"env": {"enum": ["prod", "staging"]}}}}]
    tools:
      deploy: {args: {env: {enum: [staging, test]}}}
    ---
    # tools.json: [{"name": "post", "inputSchema": {"type": "object",
    # tools.json: "properties": {"speed": {"enum": ["fast", "slow"]}}}}]
    tools: {post: {args: {speed: {type: string, maxLength: 9}}}}
    rules:
      - {id: speeds, tools: [post], args: {speed: {enum: [slow, fats]}}, effect: deny}

Passes:
    # tools.json: [{"name": "deploy", "inputSchema": {"type": "object",
    # tools.json: "properties": {"env": {"enum": ["prod", "staging"]}}}}]
    tools:
      deploy: {args: {env: {enum: [staging]}}}

Fix:
    Remove the value, or write it as the tool does.
"""

from collections.abc import Iterator
from typing import Any, Final

from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.proof.schema import ELEMENT, at, values_of
from policy_engine.lint.registered import tools_for
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy.words import quoted
from policy_engine.source import Path
from policy_engine.tools import Tool

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    covered = {
        (id(found.policy), found.placed.path): subject.covered(found)
        for found in subject.conditions
        if found.compiled.constraint is not None
    }
    for place in schemas(subject):
        listed = place.schema.get("enum")
        if not isinstance(listed, list) or not listed:
            continue
        tools = _tools(subject, place, covered.get((id(place.policy), _owner(place)), ()))
        theirs = [tool.properties.get(place.argument) for tool in tools]
        if not theirs or None in theirs:
            continue
        inner = [values_of(at(schema, _steps(place))) for schema in theirs]
        taken = [any(values.admits(value) for values in inner) for value in listed]
        for index, value in enumerate(listed):
            if not taken[index] and any(taken):
                message = f'the tool never takes {quoted(value)} as "{place.name}"'
                hint = "remove it, or write it as the tool does"
                yield Found(place.policy, (*place.path, "enum", index), message, hint)


def _tools(subject: Subject, place: SchemaAt, names: tuple[str, ...]) -> list[Tool]:
    """Return the tools whose argument it is; none where one of them is not known."""
    if place.entry is not None:
        return tools_for(subject, place.entry)
    known = subject.plain_tools
    return [known[name] for name in names] if all(name in known for name in names) else []


def _steps(place: SchemaAt) -> list[str]:
    """Return the way from an argument to a part of it."""
    found: list[str] = []
    left: list[Any] = list(place.path[len(_owner(place)) + 2 :])
    while left:
        step = left.pop(0)
        if step in {"properties", "prefixItems"}:
            inner = left.pop(0)
            found.append(str(inner) if step == "properties" else "")  # of a place, nothing is said
        else:
            found.append(ELEMENT)
    return found


def _owner(place: SchemaAt) -> Path:
    """Return where the entry or the rule stands whose arguments it is about."""
    return place.path[: place.path.index("args", 2)]


RULE: Final = LintRule(
    "PE114", "unproducible-value", "warning", __doc__ or "", _find, needs_tools=True
)
