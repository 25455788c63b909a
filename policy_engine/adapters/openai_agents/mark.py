"""What a guarded agent is: a subclass of its own class that asks the policies."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

from agents import Agent, FunctionTool, RunContextWrapper, Tool

from policy_engine.adapters.openai_agents.agent_tools import extractor, failure, is_agent_tool
from policy_engine.adapters.openai_agents.ending import Ending
from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError
from policy_engine.adapters.openai_agents.function_tools import guarded_tool, policy_name
from policy_engine.adapters.openai_agents.handoffs import GuardedHandoff
from policy_engine.adapters.openai_agents.hooks import WatchedHooks
from policy_engine.adapters.openai_agents.model import GuardedModel
from policy_engine.adapters.openai_agents.scope import SCOPE, TURN, Turn
from policy_engine.adapters.openai_agents.unpublished import agent_of_tool
from policy_engine.guard import Guard

__all__ = ["GuardedAgent", "guarded_class", "guarded_names", "is_guarded_agent"]

_ADDED: Final = "was added after guard_agent(): add it before"
_CHANGED: Final = "was changed after guard_agent(): change it before"
_RENAMED: Final = "is what it was named after guard_agent(): name it before"
_OWN_MODEL: Final = (
    "runs with a model of its own: give the model to the agent, or make the configuration with "
    "run_config(guard, model=…)"
)
_NAMES: Final[WeakKeyDictionary[Guard, dict[str, None]]] = WeakKeyDictionary()


class GuardedAgent(Agent[Any]):
    """An agent none of whose tools runs without a decision."""

    policy_guard: ClassVar[Guard]
    policy_agent: ClassVar[str]
    """What policies call the agent."""
    policy_tools: ClassVar[list[Tool]]
    """Tools that are no function tools, and ask the policies on roads of their own."""

    async def get_mcp_tools(self, run_context: RunContextWrapper[Any]) -> list[Tool]:
        """Return the tools of the MCP servers, guarded; those never permitted are hidden."""
        guard = self.policy_guard
        tools = await super().get_mcp_tools(run_context)
        return [
            guarded_tool(tool, guard, self.name) if isinstance(tool, FunctionTool) else tool
            for tool in tools
            if not isinstance(tool, FunctionTool)
            or not guard.engine.never_permits("tool_call", policy_name(tool), self.name)
        ]

    async def get_all_tools(self, run_context: RunContextWrapper[Any]) -> list[Tool]:
        """Return every tool, guarded; what was added since and cannot be guarded is refused."""
        # A turn begins: what an earlier run in this task left says nothing about this one.
        SCOPE.set(None)
        TURN.set(Turn(self))
        gaps = tuple(self.policy_gaps())
        if gaps:
            raise UnmediatedError(gaps)
        if not isinstance(self.hooks, WatchedHooks):
            self.hooks = WatchedHooks(self.hooks)
        tools = await super().get_all_tools(run_context)
        return [self._guarded(tool) for tool in tools]

    def as_tool(self, *args: Any, **kwargs: Any) -> FunctionTool:
        """Return a tool behind which this agent runs; denials within reach the caller."""
        given = inspect.signature(super().as_tool).bind(*args, **kwargs)
        given.apply_defaults()
        options = dict(given.arguments)
        config = options["run_config"]
        model = config.get("model") if isinstance(config, dict) else getattr(config, "model", None)
        if model is not None and not isinstance(model, GuardedModel):
            name = options["tool_name"] or self.name
            raise UnmediatedError([Gap(self.name, str(name), _OWN_MODEL)])
        options["failure_error_function"] = failure(options["failure_error_function"])
        options["custom_output_extractor"] = extractor(options["custom_output_extractor"])
        return super().as_tool(**options)

    def policy_gaps(self) -> Iterator[Gap]:
        """Go through what was changed since, so that policies would no longer see it."""
        guard, agent = self.policy_guard, self.policy_agent
        if self.name != agent:
            yield Gap(agent, self.name, _RENAMED)
        if not (isinstance(self.model, GuardedModel) and self.model.asks(guard, agent)):
            yield Gap(agent, "model", _CHANGED)
        if self.tool_use_behavior != "run_llm_again" and not isinstance(
            self.tool_use_behavior, Ending
        ):
            yield Gap(agent, "tool_use_behavior", _CHANGED)
        for item in self.handoffs:
            if not (isinstance(item, GuardedHandoff) and item.asks(guard, agent)):
                name = item.name if isinstance(item, Agent) else item.tool_name
                yield Gap(agent, name, _ADDED)
        for tool in self.tools:
            if isinstance(tool, FunctionTool) and is_agent_tool(tool):
                inner = agent_of_tool(tool)
                if inner is None or not is_guarded_agent(inner, guard):
                    yield Gap(agent, policy_name(tool), _ADDED)

    def _guarded(self, tool: Tool) -> Tool:
        if isinstance(tool, FunctionTool):
            return guarded_tool(tool, self.policy_guard, self.name)
        if any(tool is known for known in self.policy_tools):
            return tool
        name = str(getattr(tool, "name", type(tool).__name__))
        raise UnmediatedError([Gap(self.name, name, _ADDED)])


def guarded_class(kind: type[Agent[Any]], guard: Guard, name: str) -> type[GuardedAgent]:
    """Return the guarded subclass of the class of the agent with this name."""
    _NAMES.setdefault(guard, {})[name] = None
    namespace = {
        "policy_guard": guard,
        "policy_agent": name,
        "policy_tools": [],
        "__module__": __name__,
        "__doc__": GuardedAgent.__doc__,
    }
    bases = (GuardedAgent,) if kind is Agent else (GuardedAgent, kind)
    return type(f"Guarded{kind.__name__}", bases, namespace)


def is_guarded_agent(agent: object, guard: Guard) -> bool:
    """Whether an agent asks this guard."""
    return isinstance(agent, GuardedAgent) and agent.policy_guard is guard


def guarded_names(guard: Guard) -> tuple[str, ...]:
    """Return the names of the agents that ask this guard."""
    return tuple(_NAMES.get(guard, ()))
