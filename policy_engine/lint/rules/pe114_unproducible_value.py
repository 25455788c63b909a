"""A listed value that the tool's own schema excludes.

What it does:
    With `--tools`, reports values of an `enum` that the tool's schema does not accept.

Why:
    Nobody will ever send them. Mostly they are the old spelling of values that are now denied.

Fails:
    # tools.json: [{"name": "deploy", "inputSchema": {"type": "object",
    # tools.json: "properties": {"env": {"enum": ["prod", "staging"]}}}}]
    tools:
      deploy: {args: {env: {enum: [staging, test]}}}

Passes:
    # tools.json: [{"name": "deploy", "inputSchema": {"type": "object",
    # tools.json: "properties": {"env": {"enum": ["prod", "staging"]}}}}]
    tools:
      deploy: {args: {env: {enum: [staging]}}}

Fix:
    Remove the value, or write it as the tool does.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from policy_engine.lint.proof.schema import values_of
from policy_engine.lint.registered import tools_for
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy.words import quoted

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        tools = tools_for(subject, entry)
        for argument, schema in (entry.block.args or {}).items():
            listed = schema.get("enum") if isinstance(schema, Mapping) else None
            theirs = [tool.properties[argument] for tool in tools if argument in tool.properties]
            if not listed or len(theirs) != len(tools) or not theirs:
                continue
            taken = [any(values_of(t).admits(value) for t in theirs) for value in listed]
            for index, value in enumerate(listed):
                if not taken[index] and any(taken):
                    path = (*entry.path, "args", argument, "enum", index)
                    message = f'the tool never takes {quoted(value)} as "{argument}"'
                    hint = "remove it, or write it as the tool does"
                    yield Found(entry.policy, path, message, hint)


RULE: Final = LintRule(
    "PE114", "unproducible-value", "warning", __doc__ or "", _find, needs_tools=True
)
