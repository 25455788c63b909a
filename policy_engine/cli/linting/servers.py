"""MCP servers of an application: the tools that they list."""

import inspect
import sys
from importlib import import_module
from typing import Any

from policy_engine.cli.agent_graph import tools_of_graph
from policy_engine.lint.registry import RegistryError, tools_in
from policy_engine.tools import Tool

__all__ = ["tools_of_server"]


def tools_of_server(found: Any) -> tuple[Tool, ...] | None:
    """Return the tools of an MCP server as `server/name`; None for what is no server.

    One that an agent would be given is connected as it is for an agent.

    Raises:
        RegistryError: It cannot list them as it stands.
    """
    if isinstance(found, type) or not inspect.iscoroutinefunction(_lister(found)):
        return None
    name = getattr(found, "name", None)
    said = f'the MCP server "{name}"' if isinstance(name, str) and name else "the MCP server"
    client = getattr(sys.modules.get("agents.mcp"), "MCPServer", None)
    if client is not None and isinstance(found, client):
        agents = import_module("agents")
        return tools_of_graph(agents.Agent(name="lint", mcp_servers=[found]))
    if hasattr(found, "connect"):
        raise RegistryError(f"{said} lists nothing until it is connected; {_SAVE}")
    try:
        # Slow to import, and lint without servers does not need it.
        listed = import_module("asyncio").run(found.list_tools())
    except Exception as error:  # noqa: BLE001 - an object of the user's
        raise RegistryError(
            f"{said} did not list its tools: {type(error).__name__}: {error}; {_SAVE}"
        ) from None
    tools = tools_in(getattr(listed, "tools", listed))
    if not isinstance(name, str) or not name:
        return tuple(tools)
    return tuple(
        Tool(f"{name}/{one.name}", one.schema, name, one.description, one.typed) for one in tools
    )


_SAVE = "save what it answers to `tools/list`, and give that: --tools NAME=FILE"


def _lister(found: Any) -> Any:
    try:
        return getattr(found, "list_tools", None)
    except Exception:  # noqa: BLE001 - an object of the user's
        return None
