"""Hooks of an agent that notice what goes past its model: another model, and other words.

A configuration of the SDK's own may name a model for the whole run, which takes the place of
the guarded one. It is noticed before that model is called, and, should the SDK not have read
what tells of it, before anything is done with what the model said. What ends a run and no model
said is judged here, before it is handed on.
"""

from collections.abc import Callable
from typing import Any, Final

from agents import AgentHooks

from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError
from policy_engine.adapters.openai_agents.handled import judge_handled
from policy_engine.adapters.openai_agents.handoffs import DENIAL
from policy_engine.adapters.openai_agents.noticed import refuse_foreign
from policy_engine.adapters.openai_agents.scope import TURN

__all__ = ["WatchedHooks"]

_WHY: Final = (
    "was not asked for: the run's configuration names a model of its own, so make it with "
    "run_config(guard, model=…)"
)


class WatchedHooks(AgentHooks[Any]):
    """An agent's own hooks, behind one that asks whether its model was guarded.

    Args:
        own: The agent's own; None where it has none.
    """

    own: Any

    def __init__(self, own: Any) -> None:
        vars(self)["own"] = own

    def __getattr__(self, name: str) -> Any:
        """Return what the agent's own hooks have besides."""
        if name == "own" or self.own is None:
            raise AttributeError(f"the hooks of this agent have no {name!r}")
        return getattr(self.own, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set it on the agent's own hooks, where there are any."""
        setattr(super() if self.own is None else self.own, name, value)

    async def on_llm_start(
        self, context: Any, agent: Any, system_prompt: Any, input_items: Any
    ) -> None:
        """Refuse to call a model that is not the guarded one.

        Raises:
            UnmediatedError: It is not.
        """
        refuse_foreign(agent, agent.policy_guard)
        if self.own is not None:
            await self.own.on_llm_start(context, agent, system_prompt, input_items)

    async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
        """Refuse a response that does not come from a guarded model.

        Raises:
            UnmediatedError: It does not.
        """
        turn = TURN.get()
        if turn is not None and not turn.was_answered:
            raise UnmediatedError([Gap(agent.name, "model", _WHY)], "the run ends here")
        if self.own is not None:
            await self.own.on_llm_end(context, agent, response)

    async def on_end(self, context: Any, agent: Any, output: Any) -> None:
        """Judge what ends the run, where no model said it.

        Raises:
            OutputDenied: It may not be said.
        """
        await judge_handled(context, agent, output)
        if self.own is not None:
            await self.own.on_end(context, agent, output)

    async def on_handoff(self, context: Any, agent: Any, source: Any) -> None:
        """Tell of a handoff, where it was not denied."""
        if self.own is not None and DENIAL.get() is None:
            await self.own.on_handoff(context, agent, source)


def _handing_on(name: str) -> Callable[..., Any]:
    async def hook(self: WatchedHooks, *args: Any, **kwargs: Any) -> None:
        if self.own is not None:
            await getattr(self.own, name)(*args, **kwargs)

    return hook


for _name in dir(AgentHooks):
    if _name.startswith("on_") and _name not in vars(WatchedHooks):
        setattr(WatchedHooks, _name, _handing_on(_name))
