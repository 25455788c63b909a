"""What a guarded agent is: a subclass of its own class that asks the policies."""

from __future__ import annotations

import copy
import inspect
from typing import Any, Final
from weakref import WeakKeyDictionary

from agents import Agent, FunctionTool, ModelSettings, RunContextWrapper, Tool

from policy_engine.adapters.openai_agents.agent_tools import extractor, failure, rebuilt
from policy_engine.adapters.openai_agents.attached import (
    Attached,
    Written,
    is_guarded_agent,
    served_gaps,
)
from policy_engine.adapters.openai_agents.copies import copied, put
from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError
from policy_engine.adapters.openai_agents.function_tools import guarded_tool, policy_name
from policy_engine.adapters.openai_agents.handoffs import DENIAL
from policy_engine.adapters.openai_agents.hooks import WatchedHooks
from policy_engine.adapters.openai_agents.model import GuardedModel
from policy_engine.adapters.openai_agents.names import Names
from policy_engine.adapters.openai_agents.noticed import Noticed
from policy_engine.adapters.openai_agents.scope import SCOPE, TURN, Turn
from policy_engine.adapters.openai_agents.seal import kept
from policy_engine.guard import Guard

__all__ = ["ROADS", "GuardedAgent", "guarded_class", "guarded_names", "is_guarded_agent"]

_OWN_MODEL: Final = (
    "runs with a model of its own: give the model to the agent, or make the configuration with "
    "run_config(guard, model=…)"
)
_OWN_TOOL: Final = (
    "is made by its class in a way that cannot be told: make it with Agent.as_tool, or of a "
    "guarded agent"
)
_ENDED: Final = "the agent does not run"
_NAMES: Final[WeakKeyDictionary[Guard, dict[str, None]]] = WeakKeyDictionary()


class GuardedAgent(Attached):
    """An agent none of whose tools runs without a decision."""

    model: Any = Noticed("model")
    model_settings: Any = Noticed("model_settings")

    def __init_subclass__(cls) -> None:
        """Make a guarded class; the agent's own class is not told of it."""

    async def get_mcp_tools(self, run_context: RunContextWrapper[Any]) -> list[Tool]:
        """Return the tools of the MCP servers, guarded; those never permitted are hidden.

        Raises:
            UnmediatedError: Policies cannot tell two of them apart.
        """
        guard = self.policy_guard
        found = await super().get_mcp_tools(run_context)
        served = [tool for tool in found if isinstance(tool, FunctionTool)]
        gaps = served_gaps(self.policy_names, guard, self.policy_agent, id(type(self)), served)
        if gaps:
            raise UnmediatedError(gaps, _ENDED)
        shown = [
            guarded_tool(tool, guard, self.name)
            for tool in served
            if not guard.engine.never_permits("tool_call", policy_name(tool), self.name)
        ]
        return [*shown, *(tool for tool in found if not isinstance(tool, FunctionTool))]

    async def get_all_tools(self, run_context: RunContextWrapper[Any]) -> list[Tool]:
        """Return every tool, guarded.

        Raises:
            UnmediatedError: Something was added or changed since that policies would not see.
        """
        # A turn begins: what an earlier run in this task left says nothing about this one.
        SCOPE.set(None)
        TURN.set(Turn(self))
        DENIAL.set(None)
        gaps = tuple(self.policy_gaps())
        if gaps:
            raise UnmediatedError(gaps, _ENDED)
        if not isinstance(self.hooks, WatchedHooks):
            object.__setattr__(self, "hooks", WatchedHooks(self.hooks))
        tools = await super().get_all_tools(run_context)
        own = {id(tool) for tool in self.tools}
        more = [gap for tool in tools if id(tool) not in own for gap in self.policy_tool_gaps(tool)]
        if more:
            raise UnmediatedError(more, _ENDED)
        return [
            guarded_tool(tool, self.policy_guard, self.name)
            if isinstance(tool, FunctionTool) and not self.policy_asks(tool)
            else tool
            for tool in tools
        ]

    def as_tool(self, *args: Any, **kwargs: Any) -> FunctionTool:
        """Return a tool behind which this agent runs; denials within reach the caller."""
        made = super().as_tool
        if getattr(made, "__func__", None) is not Agent.as_tool:
            tool = made(*args, **kwargs)
            found = rebuilt(tool, self.policy_tool)
            if found is None:
                raise UnmediatedError([Gap(self.name, tool.name, _OWN_TOOL)])
            return found
        given = inspect.signature(made).bind(*args, **kwargs)
        given.apply_defaults()
        return self.policy_tool(**given.arguments)

    def __deepcopy__(self, memo: dict[int, Any]) -> GuardedAgent:
        """Return a guarded copy with lists and settings of its own; what acts for it is shared.

        Its tools, handoffs and model are known by what they are, like those of a clone.
        """
        made = memo[id(self)] = copied(self, type(self))
        for name, value in vars(self).items():
            if isinstance(value, ModelSettings):
                put(made, name, copy.deepcopy(value, memo))
            elif isinstance(value, dict | list | set):
                put(made, name, copy.copy(value))
        return made

    def policy_tool(self, **options: Any) -> FunctionTool:
        """Return a tool behind which this agent runs, made by the SDK of what `as_tool` takes.

        Raises:
            UnmediatedError: It would run with a model that nobody asks the policies about.
        """
        config = options["run_config"]
        model = config.get("model") if isinstance(config, dict) else getattr(config, "model", None)
        if model is not None and not isinstance(model, GuardedModel):
            name = options["tool_name"] or self.name
            raise UnmediatedError([Gap(self.name, str(name), _OWN_MODEL)])
        options["failure_error_function"] = failure(options["failure_error_function"])
        options["custom_output_extractor"] = extractor(options["custom_output_extractor"])
        return Agent.as_tool(self, **options)


ROADS: Final = frozenset(
    name
    for kind in (GuardedAgent, Attached)
    for name in (*vars(kind), *inspect.get_annotations(kind))
    if not name.startswith("__") and name not in Agent.__dataclass_fields__
)
"""What an agent must not have of its own, because the policies stand there."""


def guarded_class(agent: Agent[Any], guard: Guard, names: Names) -> type[GuardedAgent]:
    """Return the guarded subclass of the class of an agent, for this agent alone."""
    kind, name = type(agent), agent.name
    _NAMES.setdefault(guard, {})[name] = None
    namespace = {
        "policy_guard": guard,
        "policy_agent": name,
        "policy_original": agent,
        "policy_seals": [],
        "policy_known": {},
        "policy_names": names,
        "policy_written": Written(agent.instructions, kept(agent.prompt)),
        "__module__": __name__,
        "__doc__": GuardedAgent.__doc__,
    }
    bases = (GuardedAgent,) if kind is Agent else (GuardedAgent, kind)
    return type(f"Guarded{kind.__name__}", bases, namespace)


def guarded_names(guard: Guard) -> tuple[str, ...]:
    """Return the names of the agents that ask this guard."""
    return tuple(_NAMES.get(guard, ()))
