"""`tools export`: write the tools of a graph of agents as JSON Schemas, for `lint --tools`."""

import asyncio
from enum import StrEnum
from typing import Annotated, Any

import typer

from policy_engine.cli.agent_graph import AgentsArgument, adapter, find_agent, made_agents
from policy_engine.cli.ending import NOT_PERMITTED, complain, ending
from policy_engine.cli.json_output import print_json
from policy_engine.tools import Tool

__all__ = ["run"]


class _Action(StrEnum):
    EXPORT = "export"


def run(
    action: Annotated[_Action, typer.Argument(metavar="export", help="What to do: export.")],
    agents: AgentsArgument,
) -> None:
    """Write the JSON Schemas of the tools of agents, as `lint --tools` reads them.

    The exit code is 1 where an MCP server did not list its tools.
    """
    with ending():
        del action
        found = adapter()
        places = [(place, find_agent(place)) for place in agents]
        tools, unlisted = asyncio.run(_listed(found, places))
        print_json({"tools": [_wire(tool) for tool in tools]})
        for server in unlisted:
            complain(str(server))
        if unlisted:
            raise typer.Exit(NOT_PERMITTED)


async def _listed(found: Any, places: list[tuple[str, Any]]) -> Any:
    return await found.tools_of(await made_agents(places))


def _wire(tool: Tool) -> dict[str, Any]:
    found: dict[str, Any] = {"name": tool.name, "description": tool.description}
    if tool.typed:
        found["inputSchema"] = dict(tool.schema)
    return found
