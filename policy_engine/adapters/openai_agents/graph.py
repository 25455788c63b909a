"""Walk a graph of agents, and make the guarded copy of it or say all that cannot be guarded."""

import copy
from collections.abc import Callable, Iterable
from typing import Any, Final

from agents import (
    Agent,
    AgentBase,
    ApplyPatchTool,
    ComputerTool,
    CustomTool,
    FunctionTool,
    Handoff,
    HostedMCPTool,
    LocalShellTool,
    ShellTool,
    Tool,
    handoff,
)
from agents.sandbox import SandboxAgent

from policy_engine.adapters.openai_agents.agent_tools import is_agent_tool, rebuilt
from policy_engine.adapters.openai_agents.copies import copied, is_computed, put
from policy_engine.adapters.openai_agents.ending import Ending
from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError
from policy_engine.adapters.openai_agents.function_tools import guarded_tool, guarded_twice
from policy_engine.adapters.openai_agents.handoffs import guarded_handoff
from policy_engine.adapters.openai_agents.hooks import WatchedHooks
from policy_engine.adapters.openai_agents.hosted import (
    guarded_hosted_mcp,
    hosted_gap,
    hosted_name,
)
from policy_engine.adapters.openai_agents.mark import (
    ROADS,
    GuardedAgent,
    guarded_class,
    is_guarded_agent,
)
from policy_engine.adapters.openai_agents.model import GuardedModel
from policy_engine.adapters.openai_agents.names import Names, tool_name
from policy_engine.adapters.openai_agents.native_tools import (
    guarded_computer,
    guarded_custom,
    guarded_local_shell,
    guarded_patch,
    guarded_shell,
)
from policy_engine.adapters.openai_agents.seal import Seal
from policy_engine.adapters.openai_agents.settings import hidden
from policy_engine.adapters.openai_agents.unpublished import agent_of_tool, target_of_handoff
from policy_engine.guard import Guard

__all__ = ["gaps_of", "guard_agent"]

_NATIVE: Final[tuple[tuple[type[Any], Callable[[Any, Guard, str], Any]], ...]] = (
    (LocalShellTool, guarded_local_shell),
    (CustomTool, guarded_custom),
    (ApplyPatchTool, guarded_patch),
    (ComputerTool, guarded_computer),
    (HostedMCPTool, guarded_hosted_mcp),
)
"""A kind of tool -> its road. A shell is local or hosted, so it is looked at by itself."""

_UNKNOWN: Final = "is a kind of tool that has no road past which a policy could stand: deny it"
_INNER: Final = "runs an agent: guard that agent first, guard_agent(inner, guard).as_tool(…)"
_TARGET: Final = (
    'leads to an agent that cannot be found: it is called "{}", as its agent_name says, so give '
    "that one in guard_agent(…, agents=[…])"
)
_ROUTER: Final = (
    'leads to an agent that cannot be found: its agent_name says "{}", and none in agents=[…] is '
    "called so; where its function picks one of several, make a handoff(…) for each, because "
    "policies decide about one target"
)
_SANDBOX: Final = "makes its tools when it runs, where they cannot be seen: deny it, or do without"
_MADE_LATE: Final = "is made when it runs: give the computer itself, or deny it"
_OTHER: Final = (
    "is no agent that Runner runs: a realtime session speaks before anything could be judged"
)
_OTHER_GUARD: Final = (
    "is guarded by another guard already: guard the agent that it was made of, with one guard "
    "whose folder holds the policies of both"
)
_SHADOWED: Final = "is replaced on the agent itself, past its class: override it in a class"
_COMPUTED: Final = "is computed by the agent's class: make it a field that is set"


def guard_agent(
    agent: Agent[Any], guard: Guard, *, agents: Iterable[Agent[Any]] = ()
) -> Agent[Any]:
    """Return a guarded copy of an agent and of all that it reaches.

    Args:
        agent: Where runs begin. It is not changed.
        guard: Whom to ask.
        agents: Targets of handoffs, where the SDK does not say who they are.

    Raises:
        TypeError: It is given something else.
        UnmediatedError: With every road that no policy would see.
    """
    _refuse_others(agent, guard, agents)
    if not isinstance(agent, Agent):
        name = str(getattr(agent, "name", type(agent).__name__))
        raise UnmediatedError([Gap(name, type(agent).__name__, _OTHER)])
    named = tuple(agents)
    for each in named:
        if not isinstance(each, Agent):
            raise TypeError(f"guard_agent() takes agents, and {_kind(each)} is among them")
    walk = _Walk(guard, named)
    guarded = walk.agent(agent)
    if walk.gaps:
        raise UnmediatedError(walk.gaps)
    return guarded


def _refuse_others(agent: object, guard: object, agents: object) -> None:
    """Refuse what is of another kind than `guard_agent` takes.

    Raises:
        TypeError: It names what was given.
    """
    if not isinstance(agent, AgentBase):
        raise TypeError(f"guard_agent() takes an Agent, not {_kind(agent)}")
    if not isinstance(guard, Guard):
        raise TypeError(f"guard_agent() takes a Guard, not {_kind(guard)}: Guard.from_path(…)")
    if isinstance(agents, str | AgentBase) or not isinstance(agents, Iterable):
        raise TypeError(f"guard_agent() takes several agents, not {_kind(agents)}: agents=[…]")


def _kind(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return "None" if value is None else f"a value of the type {type(value).__name__}"


def gaps_of(agent: Agent[Any], guard: Guard, names: Names) -> tuple[Gap, ...]:
    """Return the gaps that a guard would find, whoever guards the agents already.

    Args:
        agent: Where runs begin.
        guard: Whom they would ask.
        names: Where the names of the tools are noted.
    """
    walk = _Walk(guard, (), names=names, is_survey=True)
    walk.agent(agent)
    return tuple(sorted(set(walk.gaps)))


class _Walk:
    """One walk through a graph, handoff cycles included."""

    def __init__(
        self,
        guard: Guard,
        named: tuple[Agent[Any], ...],
        *,
        names: Names | None = None,
        is_survey: bool = False,
    ) -> None:
        self.gaps: list[Gap] = []
        self._guard = guard
        self._named = named
        self._guarded: dict[int, GuardedAgent] = {}
        self._seen: list[Agent[Any]] = []
        self._names = Names() if names is None else names
        self._is_survey = is_survey

    def agent(self, agent: Agent[Any]) -> GuardedAgent:
        """Return the guarded copy of an agent; one of another guard as it is, which is a gap."""
        if isinstance(agent, GuardedAgent):
            if is_guarded_agent(agent, self._guard):
                self.gaps.extend(agent.policy_gaps())
            elif self._is_survey:
                return self.agent(agent.policy_original)
            else:
                self.gaps.append(Gap(agent.name, agent.name, _OTHER_GUARD))
            return agent
        known = self._guarded.get(id(agent))
        if known is not None:
            return known
        self._seen.append(agent)
        guarded = copied(agent, guarded_class(agent, self._guard, self._names))
        self._guarded[id(agent)] = guarded
        for name in ROADS & vars(agent).keys():
            self.gaps.append(Gap(agent.name, name, _SHADOWED))
            del vars(guarded)[name]
        if isinstance(agent, SandboxAgent):
            self.gaps.append(Gap(agent.name, agent.name, _SANDBOX))
        self.gaps.extend(hidden(agent.name, agent.model_settings))
        tools = [self._tool(tool, guarded) for tool in agent.tools]
        handoffs = [self._handoff(item, guarded) for item in agent.handoffs]
        parts: dict[str, Any] = {
            "tools": [tool for tool in tools if tool is not None],
            "handoffs": [item for item in handoffs if item is not None],
            "model": GuardedModel(agent.model, self._guard, agent.name),
            "hooks": WatchedHooks(agent.hooks),
        }
        if agent.tool_use_behavior != "run_llm_again":
            parts["tool_use_behavior"] = Ending(self._guard, agent.name, agent.tool_use_behavior)
        odd = [name for name, value in parts.items() if not put(guarded, name, value)]
        odd += [name for name in ("model", "model_settings") if is_computed(agent, name)]
        self.gaps.extend(Gap(agent.name, name, _COMPUTED) for name in odd)
        if not odd:
            self.gaps.extend(guarded.policy_gaps())
        return guarded

    def _tool(self, tool: Tool, agent: GuardedAgent) -> Tool | None:
        """Return a guarded tool; None where it is left out, because it is denied outright."""
        name = tool_name(tool)
        if isinstance(tool, FunctionTool):
            return self._function_tool(tool, agent)
        if not isinstance(tool, HostedMCPTool) and self._guard.engine.never_permits(
            "tool_call", name, agent.name
        ):
            return None
        found = self._road(tool, name, agent)
        if found is not None:
            agent.policy_seals.append(Seal(found))
        return found

    def _road(self, tool: Tool, name: str, agent: GuardedAgent) -> Tool | None:
        if isinstance(tool, ShellTool) and tool.executor is not None:
            return guarded_shell(tool, self._guard, agent.name)
        for kind, road in _NATIVE:
            if isinstance(tool, kind):
                found: Tool | None = road(tool, self._guard, agent.name)
                if found is None:
                    self.gaps.append(Gap(agent.name, name, _MADE_LATE))
                return found
        why = _UNKNOWN if hosted_name(tool) is None else hosted_gap(tool, self._guard, agent)
        if why is None:
            return copy.copy(tool)
        self.gaps.append(Gap(agent.name, name, why))
        return None

    def _function_tool(self, tool: FunctionTool, agent: GuardedAgent) -> FunctionTool | None:
        if guarded_twice(tool, self._guard):
            self.gaps.extend(agent.policy_tool_gaps(tool))
            return None
        if not is_agent_tool(tool):
            return guarded_tool(tool, self._guard, agent.name)
        inner = agent_of_tool(tool)
        if inner is not None and is_guarded_agent(inner, self._guard):
            return guarded_tool(tool, self._guard, agent.name)
        guarded = None if inner is None else self.agent(inner)
        if guarded is not None and not is_guarded_agent(guarded, self._guard):
            return None
        try:
            made = None if guarded is None else rebuilt(tool, guarded.policy_tool)
        except UnmediatedError as error:
            self.gaps.extend(error.gaps)
            return None
        if made is None:
            self.gaps.append(Gap(agent.name, tool_name(tool), _INNER))
            return None
        return guarded_tool(made, self._guard, agent.name)

    def _handoff(
        self, item: Agent[Any] | Handoff[Any, Any], source: GuardedAgent
    ) -> Handoff[Any, Any] | None:
        made = handoff(item) if isinstance(item, Agent) else item
        target = item if isinstance(item, Agent) else self._target(item)
        if target is None:
            why = (_ROUTER if self._named else _TARGET).format(made.agent_name)
            self.gaps.append(Gap(source.name, made.tool_name, why))
            return None
        guarded = self.agent(target)
        if not is_guarded_agent(guarded, self._guard):
            return None
        return guarded_handoff(made, self._guard, source, guarded, self._guarded)

    def _target(self, item: Handoff[Any, Any]) -> Agent[Any] | None:
        found = target_of_handoff(item)
        if found is not None:
            return found
        return next((agent for agent in self._named if agent.name == item.agent_name), None)
