"""Handoffs: judged under the agent that hands over; a denied one stays where it is, and says why.

The SDK has neither guardrails nor approvals for handoffs. The road is the handoff's own function:
denied, it returns the agent that asked, and the transfer message is the denial.
"""

import contextvars
import inspect
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents import Agent, AgentBase, Handoff, HandoffInputData, RunContextWrapper

from policy_engine.adapters.openai_agents.arguments import read_said, write_arguments
from policy_engine.adapters.openai_agents.judge import enforce
from policy_engine.adapters.openai_agents.parts import decided
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.adapters.openai_agents.written import as_written
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["DENIAL", "GuardedHandoff", "guarded_handoff", "unless_denied"]

DENIAL: Final[contextvars.ContextVar[str | None]] = contextvars.ContextVar(
    "policy_engine_openai_agents_denied_handoff", default=None
)
"""What the model is told of the handoff that is under way."""

Filter = Callable[[HandoffInputData], Any]
_UNGUARDED: Final = "This handoff leads to an agent that is not guarded."
_ELSEWHERE: Final = "This handoff leads to another agent than the one it is named for."


@dataclass
class GuardedHandoff(Handoff[Any, Any]):
    """A handoff that asks the policies."""

    agent: Agent[Any] | None = field(default=None, kw_only=True)
    """The guarded target, by which a paused run's state finds it again."""
    policy_guard: Guard | None = field(default=None, kw_only=True)
    policy_agent: str | None = field(default=None, kw_only=True)
    """Who hands over, as policies call it."""

    policy_parts: tuple[Any, ...] = field(default=(), kw_only=True)
    """What acts for it, as it was when it was attached."""

    def asks(self, guard: Guard, agent: str) -> bool:
        """Whether it was made to ask this guard for this agent."""
        return self.policy_guard is guard and self.policy_agent == agent

    def is_whole(self) -> bool:
        """Whether what acts for it is what did when it was attached."""
        parts = self.policy_parts
        now = _parts(self)
        return len(parts) == len(now) and all(map(operator.is_, parts, now))

    def __getattribute__(self, name: str) -> Any:
        """Fold no conversation for who stays: it is folded for who takes over."""
        if name == "nest_handoff_history" and DENIAL.get() is not None:
            return False
        return object.__getattribute__(self, name)

    def get_transfer_message(self, agent: AgentBase[Any]) -> str:
        """Return what the model reads as the handoff's result."""
        return DENIAL.get() or super().get_transfer_message(agent)


def _parts(handoff: GuardedHandoff) -> tuple[Any, ...]:
    return (
        handoff.on_invoke_handoff,
        handoff.input_filter,
        handoff.is_enabled,
        handoff.agent,
    )


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
        guarded = known.get(id(found), found)
        if _is_guarded(guarded, guard) and guarded.name == target.name:
            return guarded
        # Its author sends it somewhere else than where the policies were asked about.
        guard.release(handed)
        DENIAL.set(_ELSEWHERE if _is_guarded(guarded, guard) else _UNGUARDED)
        return source

    async def is_enabled(context: RunContextWrapper[Any], agent: AgentBase[Any]) -> bool:
        if guard.engine.never_permits("handoff", target.name, source.name):
            return False
        if isinstance(handoff.is_enabled, bool):
            return handoff.is_enabled
        found = handoff.is_enabled(context, agent)
        return bool(await found if inspect.isawaitable(found) else found)

    made = GuardedHandoff(
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
    made.policy_parts = _parts(made)
    return made


def _is_guarded(agent: Agent[Any], guard: Guard) -> bool:
    return getattr(agent, "policy_guard", None) is guard


async def _told(guard: Guard, session: GuardSession, name: str, text: str) -> str:
    """Return what the model tells with a handoff as it may be said.

    Raises:
        Denied: It may not.
    """
    said = read_said(text)
    if said is None:
        return text
    said = as_written(guard, session, name, said)
    _, permitted = await decided(guard, session, "output", said, enforce)
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
