"""A bound that the tool's own schema makes idle.

What it does:
    With `--tools`, reports a `minimum`, `maximum`, `minLength` or `maxLength` that is wider than
    what the tool's own schema accepts.

Why:
    It reads as if the policy restricted something. The day the tool takes more, so does the
    policy.

Fails:
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object",
    # tools.json: "properties": {"amount": {"type": "number", "maximum": 100}}}}]
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 500}}}

Passes:
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object",
    # tools.json: "properties": {"amount": {"type": "number", "maximum": 100}}}}]
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}

Fix:
    Narrow the bound to what is meant, at most to the tool's own.
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypeGuard

from policy_engine.lint.registered import tools_for
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_BOUNDS: Final = {"minimum": -1, "maximum": 1, "minLength": -1, "maxLength": 1}
"""Keyword -> the direction in which it gets wider."""


def _find(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        for tool in tools_for(subject, entry):
            for argument, schema in (entry.block.args or {}).items():
                theirs = tool.properties.get(argument)
                if not isinstance(theirs, Mapping) or not isinstance(schema, Mapping):
                    continue
                for key, sign in _BOUNDS.items():
                    mine, other = schema.get(key), theirs.get(key)
                    if _is_number(mine) and _is_number(other) and mine * sign > other * sign:
                        path = (*entry.path, "args", argument, key)
                        message = f'"{key}" {mine} does nothing: the tool itself says {other}'
                        yield Found(entry.policy, path, message, "narrow it to what is meant")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


RULE: Final = LintRule("PE115", "ineffective-bound", "info", __doc__ or "", _find, needs_tools=True)
