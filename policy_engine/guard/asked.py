"""Calls that an adapter makes: a request and a coroutine function, driven from end to end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from policy_engine.approvals import Approval
from policy_engine.decision import Decision, Request
from policy_engine.guard.call import Call
from policy_engine.guard.drive import Steps, drive_async
from policy_engine.guard.parts import Parts
from policy_engine.guard.road import ask, passed_async, refuse, stopped
from policy_engine.guard.session import GuardSession

__all__ = ["Asked", "CallPaused", "asked", "call_async"]

R = TypeVar("R")


class CallPaused(Exception):  # noqa: N818 - an outcome is no error
    """Raised by the function of a call that goes on later: under the same id it is asked again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision as things stand, and what people were asked for it."""

    decision: Decision
    approvals: tuple[Approval, ...] = ()
    """Empty where no approval would let the request through."""


def asked(parts: Parts, request: Request, session: GuardSession | None) -> Steps[Asked]:
    """Decide, and where an approval is needed ask for it; nothing is counted or used up."""
    ticket = yield from ask(parts, request, session)
    return Asked(ticket.decision, ticket.approvals)


async def call_async(
    parts: Parts,
    request: Request,
    session: GuardSession | None,
    function: Callable[[Decision], Awaitable[R]],
) -> R:
    """Decide, run the function with what is permitted, judge and return its result.

    Raises:
        Denied: The call or its result is not permitted, or one with its call id is under way.
    """
    with parts.running.of(request) as is_first:
        if not is_first:
            text = "A call with this id is under way."
            raise refuse(parts, request, session, "call.repeated", text)
        return await _called(parts, request, session, function)


async def _called(
    parts: Parts,
    request: Request,
    session: GuardSession | None,
    function: Callable[[Decision], Awaitable[R]],
) -> R:
    ticket = await passed_async(parts, request, session)
    denied = stopped(parts, ticket)
    if denied is not None:
        raise denied
    call = Call(parts, session, ticket)
    try:
        running = function(ticket.decision)
        result = await (running if call.allowance is None else call.allowance.wait(running))
    except CallPaused:
        raise
    except BaseException as error:
        call.fail(error, "timed_out")
        raise
    return await drive_async(call.leave(result), parts.functions)
