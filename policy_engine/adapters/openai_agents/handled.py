"""What ends a run and no model said: judged before the SDK hands it on in any event.

Theory of operation. A run's error handlers say what ends it in place of a model: for a refusal,
for an output that does not fit its type, and when there are too many turns. The SDK streams that
before it runs output guardrails, and runs none where the provider keeps the conversation; the
agent's own hook for its end it calls before both.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from agents import Agent

from policy_engine.adapters.openai_agents.guardrails import judged_end
from policy_engine.adapters.openai_agents.scope import TURN, Turn
from policy_engine.adapters.openai_agents.typed import last_text

__all__ = ["judge_handled"]


async def judge_handled(context: Any, agent: Agent[Any], output: Any) -> None:
    """Judge an output that neither a model nor a tool of this turn said.

    Args:
        context: What the SDK hands to hooks.
        agent: The guarded agent that ends.
        output: What it ends with.

    Raises:
        OutputDenied: It may not be said, or not as it stands.
    """
    turn = TURN.get()
    if turn is None or turn.agent is not agent or not _was_said(turn, output):
        await judged_end(agent, context, output)


def _was_said(turn: Turn, output: Any) -> bool:
    """Whether an output is what was said in a turn, and so was judged when it was."""
    if turn.ended is output and output is not None:
        return True
    text = last_text(turn.answer) or ""
    if turn.schema is None:
        return bool(type(output) is str and output == text)
    # A type of the application's may raise anything, also where two are compared.
    with suppress(Exception):
        return bool(text) and bool(turn.schema.validate_json(text) == output)
    return False
