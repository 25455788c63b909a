"""A declared argument that the tool does not have.

What it does:
    With `--tools`, reports an argument under `args` that the schema of no matching tool names.

Why:
    An argument that must be there and that the model cannot give denies every call; an optional
    one is a check of nothing. Mostly the argument was renamed.

Fails:
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object",
    # tools.json: "properties": {"amount": {"type": "number"}}}}]
    tools:
      pay: {args: {amout: {type: number, minimum: 0, maximum: 50}}}

Passes:
    # tools.json: [{"name": "pay", "inputSchema": {"type": "object",
    # tools.json: "properties": {"amount": {"type": "number"}}}}]
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}

Fix:
    Write the argument as the tool has it.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.registered import tools_for
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy.words import choices, did_you_mean

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for entry in subject.entries:
        tools = tools_for(subject, entry)
        if not tools or not all(tool.typed and "properties" in tool.schema for tool in tools):
            continue
        known = {name for tool in tools for name in tool.properties}
        for argument in entry.block.args or {}:
            if argument not in known:
                hint = (
                    did_you_mean(argument, known) or f"it has: {choices(sorted(known)) or 'none'}"
                )
                message = f'the tool "{tools[0].name}" has no argument "{argument}"'
                path = (*entry.path, "args", argument)
                yield Found(entry.policy, path, message, hint, on_key=True)


RULE: Final = LintRule("PE111", "unknown-argument", "error", __doc__ or "", _find, needs_tools=True)
