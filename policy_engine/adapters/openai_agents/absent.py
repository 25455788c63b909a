"""Calls of tools that the agent does not have: on record, counted nowhere, asked of nobody.

A model may call what its author hides, what another agent has, or what it made up. Nothing could
run, so policies are not asked: their limits would count it, and people would be asked about it.
Where names alone deny the tool, which is why it is hidden, the record and the model are told so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Final

from agents import CustomTool, FunctionTool, Handoff, Tool

from policy_engine.adapters.openai_agents.arguments import read_arguments
from policy_engine.adapters.openai_agents.judge import enforce, refuse
from policy_engine.adapters.openai_agents.said import note_said
from policy_engine.adapters.openai_agents.scope import TURN, Turn, about
from policy_engine.adapters.openai_agents.texts import field_of
from policy_engine.decision import Decision
from policy_engine.errors import RequestError
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["callable_names", "refuse_absent"]

_ABSENT: Final = "This tool is not available now."
_MOST_NAMES: Final = 20


def callable_names(tools: Iterable[Tool], handoffs: Iterable[Handoff[Any, Any]]) -> tuple[str, ...]:
    """Return what a model can call, by the names that the SDK gives it."""
    return (*_tool_names(tools), *(handoff.tool_name for handoff in handoffs))


async def refuse_absent(
    guard: Guard, session: GuardSession, tool: str, call_id: str
) -> tuple[str, bool]:
    """Record a call of a tool that is not there.

    Args:
        guard: Who records it.
        session: Who asked.
        tool: What was called, as the model wrote it.
        call_id: The call's id.

    Returns:
        What the model is told, and whether the policies deny the tool by its name.
    """
    turn = TURN.get()
    args = {} if turn is None else _arguments(turn, call_id)
    request = about(session, "tool_call", tool=tool, args=args, call_id=call_id)
    there = _there(() if turn is None else turn.offered, tool)
    if guard.engine.never_permits("tool_call", tool, session.agent):
        try:
            guard.release(await enforce(guard, session, request))
        except Denied as denied:
            text = " ".join([*_words(denied.decision), *there])
            note_said(guard, session, text)
            return text, True
    text = " ".join([_ABSENT, *there])
    await refuse(guard, session, request, "guard.absent", text)
    return text, False


def _tool_names(tools: Iterable[Tool]) -> Iterator[str]:
    for tool in tools:
        if isinstance(tool, FunctionTool) and not tool.defer_loading:
            yield tool.qualified_name
        elif isinstance(tool, CustomTool):
            yield tool.name


def _arguments(turn: Turn, call_id: str) -> dict[str, Any]:
    """Return the arguments of a call of this turn; none where they cannot be read."""
    for item in turn.answer:
        written = field_of(item, "arguments")
        if field_of(item, "call_id") == call_id and isinstance(written, str):
            try:
                return read_arguments(written, {})
            except RequestError:
                return {}
    return {}


def _there(offered: tuple[str, ...], tool: str) -> list[str]:
    """Say what there is, that which is written alike first; nothing where nothing is known."""
    if not offered:
        return []
    near = get_close_matches(tool[:100], offered, n=3)
    names = list(dict.fromkeys([*near, *offered]))
    shown = ", ".join(f'"{name}"' for name in names[:_MOST_NAMES])
    return [f"There are: {shown}{', and others' if len(names) > _MOST_NAMES else ''}."]


def _words(decision: Decision) -> list[str]:
    """Return what the policies say, without names that they know and the agent has not."""
    spoke = [one for one in decision.reasons if one.enforced and one.effect == "deny"]
    return list(dict.fromkeys(one.message for one in spoke))
