"""Handoffs: judged under the agent that hands over; a denied one stays where it is, and says why.

The SDK has neither guardrails nor approvals for handoffs. The road is the handoff's own function:
denied, it returns the agent that asked, and the transfer message is the denial.
"""

import contextvars
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents import Agent, AgentBase, Handoff, HandoffInputData, RunContextWrapper

from policy_engine.adapters.openai_agents.arguments import read_said, write_arguments
from policy_engine.adapters.openai_agents.judge import enforce
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.adapters.openai_agents.written import as_written
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["DENIAL", "GuardedHandoff", "guarded_handoff", "unless_denied"]

DENIAL: Final[contextvars.ContextVar[str | None]] = contextvars.ContextVar(
    "policy_engine_openai_agents_denied_handoff", default=None
)
"""What the model is told of the handoff that is under way."""

Filter = Callable[[HandoffInputData], Any]


@dataclass
class GuardedHandoff(Handoff[Any, Any]):
    """A handoff that asks the policies."""

    agent: Agent[Any] | None = field(default=None, kw_only=True)
    """The guarded target, by which a paused run's state finds it again."""
    policy_guard: Guard | None = field(default=None, kw_only=True)
    policy_agent: str | None = field(default=None, kw_only=True)
    """Who hands over, as policies call it."""

    def asks(self, guard: Guard, agent: str) -> bool:
        """Whether it asks this guard for this agent."""
        return self.policy_guard is guard and self.policy_agent == agent

    def get_transfer_message(self, agent: AgentBase[Any]) -> str:
        """Return what the model reads as the handoff's result."""
        return DENIAL.get() or super().get_transfer_message(agent)


def guarded_handoff(
    handoff: Handoff[Any, Any],
    guard: Guard,
    source: Agent[Any],
    target: Agent[Any],
    known: Mapping[int, Agent[Any]],
) -> GuardedHandoff:
    """Return a handoff that asks the policies.

    Args:
        handoff: The handoff as its author made it.
        guard: Whom to ask.
        source: The guarded agent that hands over.
        target: The guarded agent that takes over.
        known: The identity of an agent before -> the guarded agent.
    """

    async def hand_over(context: RunContextWrapper[Any], text: str) -> Agent[Any]:
        DENIAL.set(None)
        session = session_for(guard, source.name, context)
        try:
            handed = await enforce(guard, session, about(session, "handoff", target=target.name))
        except Denied as denied:
            DENIAL.set(denied.message)
            return source
        try:
            told = await _told(guard, session, handoff.tool_name, text)
        except Denied as denied:
            guard.release(handed)
            DENIAL.set(denied.message)
            return source
        found: Agent[Any] = await handoff.on_invoke_handoff(context, told)
        if any(found is one for one in known.values()):
            return found
        guarded = known.get(id(found))
        if guarded is None or guarded.name != target.name:
            # Its author sends it somewhere else than where the policies were asked about.
            DENIAL.set("This handoff leads to an agent that is not guarded.")
            return source
        return guarded

    async def is_enabled(context: RunContextWrapper[Any], agent: AgentBase[Any]) -> bool:
        if guard.engine.never_permits("handoff", target.name, source.name):
            return False
        if isinstance(handoff.is_enabled, bool):
            return handoff.is_enabled
        found = handoff.is_enabled(context, agent)
        return bool(await found if inspect.isawaitable(found) else found)

    return GuardedHandoff(
        tool_name=handoff.tool_name,
        tool_description=handoff.tool_description,
        input_json_schema=handoff.input_json_schema,
        on_invoke_handoff=hand_over,
        agent_name=handoff.agent_name,
        input_filter=None if handoff.input_filter is None else unless_denied(handoff.input_filter),
        nest_handoff_history=handoff.nest_handoff_history,
        strict_json_schema=handoff.strict_json_schema,
        is_enabled=is_enabled,
        agent=target,
        policy_guard=guard,
        policy_agent=source.name,
    )


async def _told(guard: Guard, session: GuardSession, name: str, text: str) -> str:
    """Return what the model tells with a handoff as it may be said.

    Raises:
        Denied: It may not.
    """
    said = read_said(text)
    if said is None:
        return text
    said = as_written(guard, session, name, said)
    decision = await enforce(guard, session, about(session, "output", text=said))
    permitted = decision.request.text
    return text if permitted == said else write_arguments(permitted)


def unless_denied(input_filter: Filter) -> Filter:
    """Return an input filter that leaves alone what goes on with the same agent."""

    async def filtered(data: HandoffInputData) -> HandoffInputData:
        if DENIAL.get() is not None:
            return data
        found = input_filter(data)
        result: HandoffInputData = await found if inspect.isawaitable(found) else found
        return result

    return filtered
