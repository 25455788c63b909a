"""`tools export`: write the tools of a graph of agents as JSON Schemas, for `lint --tools`."""

import asyncio
from enum import StrEnum
from typing import Annotated, Any

import typer

from policy_engine.cli.agent_graph import AgentArgument, adapter, load_agent
from policy_engine.cli.ending import NOT_PERMITTED, complain, ending
from policy_engine.cli.json_output import print_json
from policy_engine.tools import Tool

__all__ = ["run"]


class _Action(StrEnum):
    EXPORT = "export"


def run(
    action: Annotated[_Action, typer.Argument(metavar="export", help="What to do: export.")],
    agent: AgentArgument,
) -> None:
    """Write the JSON Schemas of an agent graph's tools, as `lint --tools` reads them.

    The exit code is 1 where an MCP server did not list its tools.
    """
    with ending():
        del action
        tools, unlisted = asyncio.run(adapter().tools_of(load_agent(agent)))
        print_json({"tools": [_wire(tool) for tool in tools]})
        for server in unlisted:
            complain(f'the tools of the server "{server}" could not be listed')
        if unlisted:
            raise typer.Exit(NOT_PERMITTED)


def _wire(tool: Tool) -> dict[str, Any]:
    found: dict[str, Any] = {"name": tool.name, "description": tool.description}
    if tool.typed:
        found["inputSchema"] = dict(tool.schema)
    return found
