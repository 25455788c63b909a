"""`coverage`: hold a graph of agents against the policies, and show what nobody decides about."""

import asyncio
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from policy_engine.cli.agent_graph import AgentsArgument, adapter, find_agent, made_agents
from policy_engine.cli.console import print_faults, print_lines
from policy_engine.cli.ending import CANNOT_RUN, NOT_PERMITTED, ending
from policy_engine.cli.json_output import print_json
from policy_engine.cli.policies import PoliciesOption, named
from policy_engine.errors import PolicyError
from policy_engine.guard import Guard
from policy_engine.report.printable import printable
from policy_engine.report.words import counted

__all__ = ["run"]

_COLOR: Final = {
    "governed": "green",
    "denied": "red",
    "unnamed": "yellow",
    "unmediated": "bold red",
}
_SAID: Final = {
    "governed": "governed by",
    "denied": "denied by",
    "unnamed": "no policy names it",
    "unmediated": "cannot be mediated:",
}


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"


def run(
    agents: AgentsArgument,
    policies: PoliciesOption = None,
    form: Annotated[
        _Format, typer.Option("--format", metavar="text|json", help="How to print what was found.")
    ] = _Format.TEXT,
) -> None:
    """Walk graphs of agents, and print which entry governs each tool and handoff.

    A gap is a tool that no policy names, one that cannot be mediated, and an entry that names a
    tool which does not exist. The exit code is 1 where there is one.
    """
    with ending():
        found = adapter()
        places = [(place, find_agent(place)) for place in agents]
        try:
            guard = Guard.from_path(named(policies), records=_nowhere)
        except PolicyError as error:
            print_faults(error)
            raise typer.Exit(CANNOT_RUN) from None
        survey = asyncio.run(_surveyed(found, places, guard))
        if form is _Format.JSON:
            print_json(_wire(survey))
        else:
            print_lines(_lines(survey))
        if not survey.is_whole:
            raise typer.Exit(NOT_PERMITTED)


async def _surveyed(found: Any, places: list[tuple[str, Any]], guard: Guard) -> Any:
    return await found.survey(await made_agents(places), guard)


def _nowhere(record: bytes) -> None:
    """Keep no record: nothing is decided."""


def _lines(survey: Any) -> Iterator[Text]:
    agent = None
    for row in survey.rows:
        if row.agent != agent:
            agent = row.agent
            yield Text(printable(agent), style="bold")
        arrow = "→ " if row.stage == "handoff" else "  "
        rest = row.why or ", ".join(row.rules)
        where = "" if row.location is None else f"  {row.location}"
        yield Text.assemble(
            f"  {arrow}{printable(row.name)}  ",
            (f"{_SAID[row.verdict]} ", _COLOR[row.verdict]),
            printable(rest),
            (printable(where), "dim"),
        )
    for server in survey.unlisted:
        yield Text(printable(str(server)), style="red")
    for one in survey.idle:
        yield Text.assemble(
            (printable(one.rule), "bold"),
            (" names nothing in the graph", "yellow"),
            (f"  {one.location or ''}", "dim"),
        )
    gaps = [row for row in survey.rows if row.verdict in ("unnamed", "unmediated")]
    total = len(gaps) + len(survey.idle) + len(survey.unlisted)
    yield Text("")
    yield Text.assemble(
        f"{counted(len(survey.rows), 'tool or handoff', 'tools and handoffs')}: ",
        (counted(total, "gap"), "red") if total else ("no gaps", "green"),
    )


def _wire(survey: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "complete": survey.is_whole,
        "rows": [
            {
                "agent": row.agent,
                "stage": row.stage,
                "name": row.name,
                "verdict": row.verdict,
                "rules": list(row.rules),
                "location": None if row.location is None else str(row.location),
                "why": row.why or None,
            }
            for row in survey.rows
        ],
        "idle": [
            {"rule": one.rule, "location": None if one.location is None else str(one.location)}
            for one in survey.idle
        ],
        "unlisted": [{"server": one.server, "why": one.why} for one in survey.unlisted],
    }
