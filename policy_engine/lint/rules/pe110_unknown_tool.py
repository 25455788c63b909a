"""An entry for a tool that does not exist.

What it does:
    With `--tools`, reports an entry whose exact name is not the name of any tool.

Why:
    The name is misspelt, or the tool was renamed: the real tool has no entry, or only that of a
    glob, and what was written for it holds for nothing.

Fails:
    # tools.json: [{"name": "send_email", "inputSchema": {"type": "object"}}]
    tools:
      send_mail: {args: {to: {type: string, maxLength: 80}}}

Passes:
    # tools.json: [{"name": "send_email", "inputSchema": {"type": "object"}}]
    tools:
      send_email: {args: {to: {type: string, maxLength: 80}}}

Fix:
    Write the name as the tool has it; one of an MCP server is `server/name`. What a server lists
    does not name it: say so with `--tools server=tools.json`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from policy_engine.compiler.names import is_glob
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy.words import choices, did_you_mean
from policy_engine.tools import Tool

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    tools = subject.tools or {}
    tails = {name.rpartition("/")[2]: name for name in tools}
    for entry in subject.entries:
        if is_glob(entry.name) or entry.name in tools:
            continue
        tail = tails.get(entry.name.rpartition("/")[2])
        hint = None if tail is None else _named_after(entry.name, tools[tail], tools)
        hint = hint or did_you_mean(entry.name, tools) or f"there are: {choices(tools)}"
        message = f'there is no tool "{entry.name}"'
        yield Found(entry.policy, entry.path, message, hint, on_key=True)


def _named_after(name: str, tool: Tool, tools: Mapping[str, Tool]) -> str:
    """Return what to do about a tool whose name ends alike: of what server is it?"""
    server = name.rpartition("/")[0]
    if not server or "/" in tool.name or any(one.startswith(f"{server}/") for one in tools):
        return f'did you mean "{tool.name}"?'
    given = f"--tools {server}={tool.origin}"
    return f'"{tool.name}" is listed without a server: if it is of "{server}", write `{given}`'


RULE: Final = LintRule("PE110", "unknown-tool", "error", __doc__ or "", _find, needs_tools=True)
