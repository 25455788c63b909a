"""Calls that an adapter makes: a request and a coroutine function, driven from end to end."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from policy_engine.approvals import Approval
from policy_engine.decision import Decision, FactNeed, Request
from policy_engine.guard.call import RequestCall, ToolTimeout
from policy_engine.guard.drive import drive_async
from policy_engine.guard.parts import Parts
from policy_engine.guard.road import ask
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


def asked(
    parts: Parts, request: Request, session: GuardSession | None
) -> Generator[Sequence[FactNeed], Mapping[str, Any], Asked]:
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
        Denied: The call or its result is not permitted.
    """
    call = RequestCall(parts, session)
    ticket = await drive_async(call.admit(request), parts.functions)
    try:
        result = await _within(call.timeout, function(ticket.decision))
    except CallPaused:
        raise
    except BaseException as error:
        call.fail(error)
        raise
    return await drive_async(call.leave(result), parts.functions)


async def _within(seconds: float | None, running: Awaitable[R]) -> R:
    if seconds is None:
        return await running
    try:
        async with asyncio.timeout(seconds) as limit:
            return await running
    except TimeoutError as error:
        if limit.expired():
            raise ToolTimeout(f"the tool took longer than {seconds:g} s") from error
        raise
