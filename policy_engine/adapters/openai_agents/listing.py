"""What MCP servers and classes of agents have to offer, whatever a run would be shown of it.

Theory of operation. What an author's filter shows depends on the context of a run, and there is
no run here; where a filter fails, the SDK drops the tool and says nothing. So a server is asked
through a copy that has no filter function: a tool that is shown to anybody is in the list. A list
of names that filters (`create_static_tool_filter`) is the same in every run, and holds. Code that
reads the context by itself cannot be seen through: it is noticed, and said.
"""

import asyncio
import contextlib
import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from agents import Agent, FunctionTool, RunContextWrapper, Tool

from policy_engine.adapters.openai_agents.copies import copied, put

__all__ = ["Unlisted", "added_tools", "is_unnamed", "served_tools"]

_LONGEST: Final = 30
"""Seconds that a server has to connect and to list its tools."""
_UNNAMED: Final = ("stdio: ", "sse: ", "streamable_http: ")
"""How the SDK's names of servers begin that were given none."""
_COMPUTED: Final = "the class of its agent computes which servers there are"
_FILTERED: Final = "its tool_filter cannot be put aside, and what it shows differs from run to run"
_OWN_FILTER: Final = (
    "its list_tools reads the context of a run, so what it lists differs from run to run: filter "
    "with tool_filter, whose tools are all told"
)
_OWN_TOOLS: Final = (
    "its get_all_tools reads the context of a run, so what it adds differs from run to run"
)


@dataclass(frozen=True, slots=True)
class Unlisted:
    """An MCP server or a class of agents whose tools could not be listed, or not all of them."""

    server: str
    """The name of the server or of the class."""
    why: str
    kind: Literal["server", "class"] = "server"

    def __str__(self) -> str:
        return f'the tools of the {self.kind} "{self.server}" could not be listed: {self.why}'


class _Nobodys(RunContextWrapper[Any]):
    """The context of no run, which notes that somebody reads what the application put there."""

    def __init__(self) -> None:
        self.was_read = False
        super().__init__(context=None)
        self.was_read = False

    def __getattribute__(self, name: str) -> Any:
        if name == "context":
            self.was_read = True
        return super().__getattribute__(name)


def is_unnamed(server: str) -> bool:
    """Whether a server's name is one that the SDK made of its command or address."""
    return server.startswith(_UNNAMED)


async def served_tools(agent: Agent[Any], server: Any) -> tuple[list[FunctionTool], list[Unlisted]]:
    """Return the tools of a server, which is connected for it where it is not.

    Args:
        agent: Who has the server, as it was before it was guarded.
        server: The server. It is not changed.
    """
    alone = copied(agent, type(agent))
    if not (put(alone, "tools", []) and put(alone, "mcp_servers", [server])):
        return [], [Unlisted(server.name, _COMPUTED)]
    with contextlib.suppress(Exception):
        return await _served(alone, server)
    try:
        async with asyncio.timeout(_LONGEST):
            await server.connect()
            try:
                return await _served(alone, server)
            finally:
                await server.cleanup()
    except Exception as error:  # noqa: BLE001 - whatever a server makes of it
        return [], [Unlisted(server.name, _said(error))]


async def added_tools(agent: Agent[Any]) -> tuple[list[FunctionTool], list[Unlisted]]:
    """Return the function tools that an agent's class adds to those that it is given.

    Args:
        agent: As it was before it was guarded.
    """
    kind = type(agent)
    if kind.get_all_tools is Agent.get_all_tools or kind.__module__.startswith("agents."):
        return [], []
    alone = copied(agent, kind)
    if not (put(alone, "tools", []) and put(alone, "mcp_servers", [])):
        return [], []  # a gap already: such a class cannot be guarded
    context = _Nobodys()
    try:
        found = await _functions(alone.get_all_tools, context)
    except Exception as error:  # noqa: BLE001 - whatever the class makes of it
        return [], [Unlisted(kind.__name__, _said(error), "class")]
    doubts = [Unlisted(kind.__name__, _OWN_TOOLS, "class")] if context.was_read else []
    return found, doubts


async def _served(alone: Agent[Any], server: Any) -> tuple[list[FunctionTool], list[Unlisted]]:
    asked = _unfiltered(server)
    if asked is None:
        return [], [Unlisted(server.name, _FILTERED)]
    put(alone, "mcp_servers", [asked])
    context = _Nobodys()

    async def listed(context: RunContextWrapper[Any]) -> list[Tool]:
        return await Agent.get_mcp_tools(alone, context)

    found = await _functions(listed, context)
    return found, [Unlisted(server.name, _OWN_FILTER)] if context.was_read else []


async def _functions(
    listed: Callable[[RunContextWrapper[Any]], Awaitable[list[Tool]]],
    context: RunContextWrapper[Any],
) -> list[FunctionTool]:
    async with asyncio.timeout(_LONGEST):
        return [tool for tool in await listed(context) if isinstance(tool, FunctionTool)]


def _unfiltered(server: Any) -> Any | None:
    """Return a server that filters by no function; None where there is no such copy of it."""
    if not callable(getattr(server, "tool_filter", None)):
        return server
    try:
        made = copy.copy(server)
        made.tool_filter = None
    except Exception:  # noqa: BLE001 - whatever its class makes of it
        return None
    return made if made.tool_filter is None and made is not server else None


def _said(error: BaseException) -> str:
    """Return in a line what went wrong."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError) and not str(error):
        return f"it took longer than {_LONGEST} s"
    first, *_ = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
