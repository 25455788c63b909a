"""What a model is sent beside the conversation, and nobody wrote down beforehand.

Instructions that a function makes, or a filter changes, the variables of a stored prompt, and
what MCP servers say of their tools: content that no earlier stage judged. What stands in the
agent itself was written by its author, and is not judged.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final

from agents import Agent, FunctionTool, Tool

from policy_engine.adapters.openai_agents.function_tools import is_mcp_tool
from policy_engine.adapters.openai_agents.incoming import is_judged, note_judged
from policy_engine.adapters.openai_agents.judge import enforce, foresee
from policy_engine.adapters.openai_agents.scope import about
from policy_engine.decision import Request
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["made_text", "read_tools", "with_text"]

_WORDS: Final = ("description", "title")
"""Fields of a schema that are for reading alone."""
_VALUES: Final = ("const", "default", "enum", "examples")
"""Fields of a schema that are read, and mean something besides."""
_DEEPEST: Final = 20


def made_text(agent: Agent[Any] | None, instructions: str | None, prompt: Any) -> Any:
    """Return what of a request was made for it; None where nothing was."""
    # What was put into the agent since it was attached, nobody has read.
    author = getattr(agent, "policy_written", agent)
    written = None if author is None else author.instructions
    text = None if not instructions or instructions == written else instructions
    stored = None if author is None else author.prompt
    variables = prompt.get("variables") if isinstance(prompt, Mapping) else None
    if isinstance(stored, Mapping) and stored.get("variables") == variables:
        variables = None
    if not variables:
        return text
    return {"variables": dict(variables), **({} if text is None else {"instructions": text})}


def with_text(made: Any, permitted: Any, instructions: str | None, prompt: Any) -> tuple[Any, Any]:
    """Return instructions and prompt with what was made for them as it is permitted."""
    if permitted is made or permitted == made:
        return instructions, prompt
    if isinstance(permitted, str):
        return permitted, prompt
    told = permitted.get("instructions", instructions)
    return told, {**prompt, "variables": permitted["variables"]}


async def read_tools(guard: Guard, session: GuardSession, tools: Iterable[Tool]) -> list[Tool]:
    """Return the tools that a model may read of; what a server says of its own is judged."""
    kept: list[Tool] = []
    for tool in tools:
        if not isinstance(tool, FunctionTool) or not is_mcp_tool(tool):
            kept.append(tool)
            continue
        told = [tool.description, tool.params_json_schema]
        if is_judged(guard, session, told):
            kept.append(tool)
            continue
        try:
            read = await _read(guard, session, tool)
        except Denied:
            continue
        if read is tool:
            note_judged(guard, session, told)
        kept.append(read)
    return kept


async def _read(guard: Guard, session: GuardSession, tool: FunctionTool) -> FunctionTool:
    """Return a tool as it may be read of.

    Raises:
        Denied: It may not.
    """
    reader = _Reader(guard, session)
    described = tool.description and await reader.text(tool.description)
    schema = await reader.schema(tool.params_json_schema, _DEEPEST)
    if described == tool.description and schema == tool.params_json_schema:
        return tool
    changed = copy.copy(tool)
    changed.description = described
    changed.params_json_schema = schema
    return changed


class _Reader:
    """Judges what stands in a schema, piece by piece: a limit of size is about one of them."""

    def __init__(self, guard: Guard, session: GuardSession) -> None:
        self._guard = guard
        self._session = session

    async def text(self, text: str) -> str:
        """Return a text as it may be read."""
        return str(await self._judged(text))

    async def schema(self, value: Any, depth: int) -> Any:
        """Return a schema whose words are as they may be read.

        Raises:
            Denied: Something in it may not be read, or its meaning would be changed.
        """
        if depth == 0:
            await self._meaning(value)
            return value
        if isinstance(value, list):
            return [await self.schema(item, depth - 1) for item in value]
        if not isinstance(value, Mapping):
            return value
        found: dict[str, Any] = {}
        for name, item in value.items():
            if name in _WORDS and isinstance(item, str):
                found[name] = await self.text(item)
            elif name in _VALUES:
                await self._meaning(item)
                found[name] = item
            else:
                if name == "properties" and isinstance(item, Mapping):
                    await self._meaning(" ".join(map(str, item)))
                found[name] = await self.schema(item, depth - 1)
        return found

    async def _meaning(self, value: Any) -> None:
        if value in (None, "", [], {}) or isinstance(value, bool | int | float):
            return
        if await self._judged(value) != value:
            raise Denied(await foresee(self._guard, self._session, self._asked(value)))

    async def _judged(self, value: Any) -> Any:
        """Return a value as it may be read; what is plain is not recorded, there is much of it."""
        request = self._asked(value)
        if (await foresee(self._guard, self._session, request)).effect == "allow":
            return value
        return (await enforce(self._guard, self._session, request)).request.text

    def _asked(self, value: Any) -> Request:
        return about(self._session, "input", text=value)
