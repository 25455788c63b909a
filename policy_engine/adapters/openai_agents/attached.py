"""An agent that was attached: what of it policies would not see, or no longer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from agents import Agent, FunctionTool, Handoff, HostedMCPTool, Tool

from policy_engine.adapters.openai_agents.agent_tools import is_agent_tool
from policy_engine.adapters.openai_agents.ending import Ending
from policy_engine.adapters.openai_agents.errors import Gap
from policy_engine.adapters.openai_agents.function_tools import (
    asks,
    guarded_twice,
    is_mcp_tool,
    policy_name,
    served_name,
)
from policy_engine.adapters.openai_agents.handoffs import GuardedHandoff
from policy_engine.adapters.openai_agents.hosted import hosted_names, is_offered
from policy_engine.adapters.openai_agents.model import GuardedModel
from policy_engine.adapters.openai_agents.names import Names, served_names, tool_name
from policy_engine.adapters.openai_agents.seal import Known, Seal
from policy_engine.adapters.openai_agents.unpublished import agent_of_tool, knows_mcp_names
from policy_engine.guard import Guard

__all__ = ["Attached", "Written", "is_guarded_agent", "served_gaps"]

_MOST_KNOWN: Final = 1024
_ADDED: Final = "was added after guard_agent(): add it before"
_CHANGED: Final = "was changed after guard_agent(): change it before"
_RENAMED: Final = (
    "is what it was named after guard_agent(): name it before, and of a clone guard the clone, "
    "guard_agent(agent.clone(name=…), guard)"
)
_PREFIXED: Final = (
    "have names that this version of the SDK hides: leave out include_server_in_tool_names"
)
_PROMPT: Final = (
    "may bring tools of the provider's, and nobody sees which: permit each by its name alone "
    f"({', '.join(hosted_names())}), or put its text into the instructions"
)
_TWIN: Final = (
    'differs from "{}" only by case or by its Unicode form: rename one of them, or leave it out'
)
_SLASH: Final = (
    "has a slash in its name, and would be governed by what is written for a tool of a server: "
    "name it without"
)
_SERVED_SLASH: Final = (
    "has a slash in the name that its server gives it, so another server's tool may be called "
    "the same: leave it out by the server's tool_filter, or deny it"
)
_TWICE: Final = (
    "is made of a function that this guard guards already, so each call would be counted, be "
    "recorded and use its approvals twice: make the tool of what stands in its __wrapped__, "
    "or take @guarded away"
)


@dataclass(frozen=True, slots=True)
class Written:
    """What its author wrote into an agent, so that it needs no judging."""

    instructions: Any
    prompt: Any


class Attached(Agent[Any]):
    """An agent that knows what it was when it was attached."""

    policy_guard: ClassVar[Guard]
    policy_agent: ClassVar[str]
    """What policies call the agent."""
    policy_original: ClassVar[Agent[Any]]
    """The agent that it was made of."""
    policy_seals: ClassVar[list[Seal]]
    """Tools that are no function tools, and ask the policies on roads of their own."""
    policy_known: ClassVar[dict[int, Known]]
    """The id of a function tool -> what is known of it."""
    policy_names: ClassVar[Names]
    """What the tools of its graph are called."""
    policy_written: ClassVar[Written]
    """What its author wrote into it."""

    def policy_gaps(self) -> Iterator[Gap]:
        """Go through what policies would not see, or no longer, because it was changed since."""
        guard, agent = self.policy_guard, self.policy_agent
        if self.name != agent:
            yield Gap(agent, self.name, _RENAMED)
        if not (isinstance(self.model, GuardedModel) and self.model.asks(guard, agent)):
            yield Gap(agent, "model", _CHANGED)
        ending = self.tool_use_behavior
        if ending != "run_llm_again" and not (
            isinstance(ending, Ending) and ending.guard is guard and ending.agent == agent
        ):
            yield Gap(agent, "tool_use_behavior", _CHANGED)
        if self.prompt is not None and not all(
            is_offered(guard, name, agent) for name in hosted_names()
        ):
            yield Gap(agent, "prompt", _PROMPT)
        if self.mcp_config.get("include_server_in_tool_names") and not knows_mcp_names():
            yield Gap(agent, "mcp_servers", _PREFIXED)
        for item in self.handoffs:
            yield from self._handoff_gaps(item)
        names = []
        for tool in self.tools:
            known = self._known(tool)
            names.append(tool_name(tool) if known is None else known.name)
            if known is None:
                yield from self.policy_tool_gaps(tool)
        for name, other in self.policy_names.twins((id(type(self)), "tools"), names):
            yield Gap(agent, name, _TWIN.format(other))

    def policy_asks(self, tool: FunctionTool) -> bool:
        """Whether a tool asks the policies itself, as far as is known by now."""
        known = self.policy_known.get(id(tool))
        return known is not None and known.tool is tool and known.is_guarded

    def _known(self, tool: Tool) -> Known | None:
        """Return what is known of a function tool without a gap; None of any other."""
        if not isinstance(tool, FunctionTool):
            return None
        found = self.policy_known.pop(id(tool), None)
        if found is None or found.tool is not tool or not found.holds():
            if any(self.policy_tool_gaps(tool)):
                return None
            is_guarded = asks(tool, self.policy_guard, self.policy_agent)
            found = Known(tool, tool_name(tool), is_guarded=is_guarded)
        self.policy_known[id(tool)] = found
        if len(self.policy_known) > _MOST_KNOWN:
            del self.policy_known[next(iter(self.policy_known))]
        return found

    def _handoff_gaps(self, item: Agent[Any] | Handoff[Any, Any]) -> Iterator[Gap]:
        guard, agent = self.policy_guard, self.policy_agent
        if not (isinstance(item, GuardedHandoff) and item.asks(guard, agent)):
            yield Gap(agent, item.name if isinstance(item, Agent) else item.tool_name, _ADDED)
        elif not (item.is_whole() and is_guarded_agent(item.agent, guard)):
            yield Gap(agent, item.tool_name, _CHANGED)

    def policy_tool_gaps(self, tool: Tool) -> Iterator[Gap]:
        """Go through what policies would not see of a tool."""
        guard, agent, name = self.policy_guard, self.policy_agent, tool_name(tool)
        if "/" in name and not _is_served(tool):
            yield Gap(agent, name, _SLASH)
        if isinstance(tool, FunctionTool):
            inner = agent_of_tool(tool)
            if is_agent_tool(tool) and not is_guarded_agent(inner, guard):
                yield Gap(agent, name, _ADDED)
            if guarded_twice(tool, guard):
                yield Gap(agent, name, _TWICE)
            return
        seal = next((seal for seal in self.policy_seals if seal.tool is tool), None)
        if seal is None:
            yield Gap(agent, name, _ADDED)
        elif not seal.holds():
            yield Gap(agent, name, _CHANGED)


def served_gaps(
    names: Names, guard: Guard, agent: str, owner: int, served: Sequence[FunctionTool]
) -> list[Gap]:
    """Return the tools of an agent's MCP servers that policies could take for others.

    Args:
        names: What else the tools of the graph are called.
        guard: Who tells which tools are never permitted, and hidden.
        agent: What policies call the agent.
        owner: The agent, among others that may be called the same.
        served: What its servers list.
    """
    twins = names.twins((owner, "mcp_servers"), served_names(served))
    gaps = [Gap(agent, name, _TWIN.format(other)) for name, other in twins]
    for tool in served:
        name = policy_name(tool)
        is_odd = "/" in served_name(tool)[1]
        if is_odd and not guard.engine.never_permits("tool_call", name, agent):
            gaps.append(Gap(agent, name, _SERVED_SLASH))
    return gaps


def is_guarded_agent(agent: object, guard: Guard) -> bool:
    """Whether an agent asks this guard."""
    return isinstance(agent, Attached) and agent.policy_guard is guard


def _is_served(tool: Tool) -> bool:
    return isinstance(tool, HostedMCPTool) or (isinstance(tool, FunctionTool) and is_mcp_tool(tool))
