"""What a graph of agents can do, and what the policies say of it: nothing runs for this."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from agents import Agent, FunctionTool

from policy_engine.adapters.openai_agents.agent_tools import is_agent_tool
from policy_engine.adapters.openai_agents.attached import Attached, served_gaps
from policy_engine.adapters.openai_agents.errors import Gap
from policy_engine.adapters.openai_agents.graph import gaps_of
from policy_engine.adapters.openai_agents.listing import (
    Unlisted,
    added_tools,
    is_unnamed,
    served_tools,
)
from policy_engine.adapters.openai_agents.names import Names, tool_name
from policy_engine.adapters.openai_agents.unpublished import agent_of_tool, target_of_handoff
from policy_engine.compiler.names import matches_glob
from policy_engine.decision import Stage
from policy_engine.errors import Location
from policy_engine.guard import Guard
from policy_engine.tools import Tool

__all__ = ["Idle", "Row", "Survey", "Unlisted", "survey", "tools_of"]

_UNNAMED: Final = 'and its server has no name of its own: name it, MCPServerStdio(name="…", …)'

Verdict: TypeAlias = Literal["governed", "denied", "unnamed", "unmediated"]


@dataclass(frozen=True, slots=True)
class Row:
    """One tool or handoff of one agent."""

    agent: str
    stage: Stage
    name: str
    verdict: Verdict
    """`governed` by an entry, `denied` by one or by a default that meets an entry, `unnamed` by
    any entry, or `unmediated`."""
    rules: tuple[str, ...] = ()
    """What speaks of it by its name."""
    location: Location | None = None
    """Where the first of them stands."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Idle:
    """An entry that names nothing in the graph."""

    rule: str
    name: str
    location: Location | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found."""

    rows: tuple[Row, ...]
    idle: tuple[Idle, ...]
    unlisted: tuple[Unlisted, ...] = field(default=())
    """MCP servers and classes whose tools could not be listed, or not all of them."""

    @property
    def is_whole(self) -> bool:
        """Whether there is no gap."""
        bad = ("unnamed", "unmediated")
        return not (self.idle or self.unlisted or any(row.verdict in bad for row in self.rows))


@dataclass(slots=True)
class _Found:
    """An agent, and what it has."""

    agent: Agent[Any]
    tools: list[Tool] = field(default_factory=list)
    handoffs: list[str] = field(default_factory=list)
    served: list[FunctionTool] = field(default_factory=list)
    unlisted: list[Unlisted] = field(default_factory=list)


async def tools_of(
    agents: Iterable[Agent[Any]],
) -> tuple[tuple[Tool, ...], tuple[Unlisted, ...]]:
    """Return the tools of graphs, and the servers and classes that would not list theirs."""
    found: dict[str, Tool] = {}
    looked = await _looked(agents)
    for one in looked:
        for tool in one.tools:
            found.setdefault(tool.name, tool)
    unlisted = dict.fromkeys(server for one in looked for server in one.unlisted)
    return tuple(found[name] for name in sorted(found)), tuple(unlisted)


async def survey(agents: Iterable[Agent[Any]], guard: Guard) -> Survey:
    """Hold graphs of agents against the policies of a guard.

    Agents that are guarded already are looked at as they were before.
    """
    starts = tuple(agents)
    looked = await _looked(starts)
    gaps: dict[Gap, None] = {}
    for start in starts:
        names = Names()
        gaps |= dict.fromkeys(gaps_of(start, guard, names))
        reached = {id(agent) for agent in _agents([start])}
        for one in looked:
            owner, name = id(one.agent), one.agent.name
            if owner in reached:
                gaps |= dict.fromkeys(served_gaps(names, guard, name, owner, one.served))
    rows = [row for one in looked for row in _rows(one, guard, gaps)]
    known = {(row.agent, row.name) for row in rows}
    rows.extend(
        Row(gap.agent, "tool_call", gap.what, "unmediated", why=gap.why)
        for gap in gaps
        if (gap.agent, gap.what) not in known
    )
    unlisted = tuple(dict.fromkeys(server for one in looked for server in one.unlisted))
    tools = [tool.name for one in looked for tool in one.tools]
    tools += [f"{one.server}/*" for one in unlisted if one.kind == "server"]
    targets = [name for one in looked for name in one.handoffs]
    idle = [*_idle(guard, "tools", tools), *_idle(guard, "handoffs", targets)]
    return Survey(tuple(dict.fromkeys(rows)), tuple(idle), unlisted)


def _agents(starts: Iterable[Agent[Any]]) -> Iterator[Agent[Any]]:
    """Go through the agents that can be reached, each once and as it was before it was guarded."""
    seen: set[int] = set()
    waiting = list(starts)
    while waiting:
        agent = waiting.pop(0)
        if isinstance(agent, Attached):
            agent = agent.policy_original
        if id(agent) in seen:
            continue
        seen.add(id(agent))
        yield agent
        for item in agent.handoffs:
            target = item if isinstance(item, Agent) else target_of_handoff(item)
            waiting.extend([] if target is None else [target])
        for tool in agent.tools:
            inner = agent_of_tool(tool) if isinstance(tool, FunctionTool) else None
            waiting.extend([] if inner is None else [inner])


async def _looked(starts: Iterable[Agent[Any]]) -> list[_Found]:
    return [await _look(agent) for agent in _agents(starts)]


async def _look(agent: Agent[Any]) -> _Found:
    found = _Found(agent)
    for tool in agent.tools:
        origin = agent.name
        if isinstance(tool, FunctionTool):
            kind = "an agent" if is_agent_tool(tool) else origin
            schema = tool.params_json_schema
            found.tools.append(Tool(tool_name(tool), schema, kind, tool.description))
        else:
            found.tools.append(Tool(tool_name(tool), origin=origin, typed=False))
    for server in agent.mcp_servers:
        listed, unlisted = await served_tools(agent, server)
        found.unlisted.extend(unlisted)
        found.served.extend(listed)
        found.tools.extend(
            Tool(tool_name(tool), tool.params_json_schema, server.name, tool.description)
            for tool in listed
        )
    added, unlisted = await added_tools(agent)
    found.unlisted.extend(unlisted)
    found.tools.extend(
        Tool(tool_name(tool), tool.params_json_schema, agent.name, tool.description)
        for tool in added
    )
    for item in agent.handoffs:
        found.handoffs.append(item.name if isinstance(item, Agent) else item.agent_name)
    return found


def _rows(found: _Found, guard: Guard, gaps: Iterable[Gap]) -> Iterator[Row]:
    agent = found.agent.name
    blocked = {gap.what: gap.why for gap in gaps if gap.agent == agent}
    named: list[tuple[Stage, str]] = [("tool_call", tool.name) for tool in found.tools]
    named.extend(("handoff", target) for target in found.handoffs)
    for stage, name in named:
        if name in blocked:
            yield Row(agent, stage, name, "unmediated", why=blocked[name])
            continue
        yield _row(guard, agent, stage, name)


def _row(guard: Guard, agent: str, stage: Stage, name: str) -> Row:
    section = "/tools/" if stage == "tool_call" else "/handoffs/"
    speaking = []
    for link in guard.engine.explain(stage, name, agent):
        parts = link.rule.split("/")
        if section in f"/{link.rule}" and len(parts) == 3:
            speaking.append(link)
    rules = tuple(dict.fromkeys(link.rule for link in speaking))
    place = next((link.location for link in speaking if link.location is not None), None)
    if name.endswith("/*"):
        # A hosted server's tools are named one by one when they are called.
        under = [entry for entry, _ in _entries(guard, "tools") if entry.startswith(name[:-1])]
        return Row(agent, stage, name, "governed" if under else "unnamed", tuple(under))
    if not rules:
        return Row(agent, stage, name, "unnamed", why=_UNNAMED if is_unnamed(name) else "")
    denied = guard.engine.never_permits(stage, name, agent)
    return Row(agent, stage, name, "denied" if denied else "governed", rules, place)


def _entries(guard: Guard, section: str) -> Iterator[tuple[str, Idle]]:
    for loaded in guard.engine.compiled.policies.policies:
        for name in getattr(loaded.policy, section) or {}:
            place = loaded.document.key_at((section, name))
            yield name, Idle(f"{loaded.policy.policy}/{section}/{name}", name, place)


def _idle(guard: Guard, section: str, names: Iterable[str]) -> Iterator[Idle]:
    """Go through the entries that name nothing in the graph."""
    known = list(names)
    servers = tuple(name[:-1] for name in known if name.endswith("/*"))
    for entry, idle in _entries(guard, section):
        if servers and entry.startswith(servers):
            continue
        if not any(matches_glob(entry, name) for name in known):
            yield idle
