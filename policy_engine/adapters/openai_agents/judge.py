"""Ask the guard, and leave a span in the SDK's trace: rules and effect, never a payload.

What comes of it that the model will read is remembered as judged: results, and denials.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from agents import custom_span, get_current_trace

from policy_engine.adapters.openai_agents.said import note_result, note_said
from policy_engine.adapters.openai_agents.twins import ask_for_others
from policy_engine.decision import Decision, Request
from policy_engine.guard import Asked, Denied, Guard, GuardSession

__all__ = ["SPAN", "ask", "call", "enforce", "foresee", "refuse"]

R = TypeVar("R")

SPAN: Final = "policy.decision"
_NO_TRACE: Final = "no-op"


async def enforce(guard: Guard, session: GuardSession, request: Request) -> Decision:
    """Decide, count and record a request.

    Raises:
        Denied: It is not permitted.
    """
    with session:
        try:
            decision = await guard.aenforce(request)
        except Denied as denied:
            _note(denied.decision)
            note_said(guard, session, denied.message)
            raise
    _note(decision)
    if request.stage == "handoff":
        # What the SDK tells the model of a handoff.
        note_said(guard, session, json.dumps({"assistant": request.target}))
    return decision


async def foresee(guard: Guard, session: GuardSession, request: Request) -> Decision:
    """Decide as things stand; nothing is counted or recorded."""
    with session:
        return await guard.adecide(request)


async def refuse(
    guard: Guard, session: GuardSession, request: Request, code: str, message: str
) -> Denied:
    """Record a denial of what nobody could carry out; return what to raise.

    Args:
        guard: Who records it.
        session: Who asked.
        request: What was asked.
        code: Why, of the closed list.
        message: What the model is told.
    """
    with session:
        denied = guard.refuse(request, code, message)
    _note(denied.decision)
    note_said(guard, session, denied.message)
    return denied


async def ask(guard: Guard, session: GuardSession, request: Request) -> Asked:
    """Ask people what a request needs, and count nothing."""
    with session:
        found = await guard.aask(request)
    if found.decision.effect == "require_approval":
        _note(found.decision)
    return found


async def call(
    guard: Guard,
    session: GuardSession,
    request: Request,
    function: Callable[[Decision], Awaitable[R]],
) -> R:
    """Make a call with what is permitted, and judge its result.

    Raises:
        Denied: The call or its result is not permitted.
    """

    async def run(decision: Decision) -> R:
        _note(decision)
        await ask_for_others(guard, decision)
        return await function(decision)

    with session:
        try:
            result = await guard.acall(request, run)
        except Denied as denied:
            _note(denied.decision)
            note_said(guard, session, denied.message)
            raise
    note_result(guard, session, result)
    return result


def _note(decision: Decision) -> None:
    """Say in the SDK's trace what was decided, where there is one."""
    trace = get_current_trace()
    if trace is None or trace.trace_id == _NO_TRACE:
        return
    data = {
        "stage": str(decision.asked.stage),
        "effect": decision.effect,
        "would": decision.would,
        "rules": [reason.rule for reason in decision.reasons],
        "codes": [reason.code for reason in decision.reasons],
        "policy_revision": decision.policy_revision,
    }
    with custom_span(SPAN, data):
        pass
