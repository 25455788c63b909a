"""Requests of one session that take turns, because a budget waits for the usage of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias
from weakref import WeakKeyDictionary

from policy_engine.adapters.openai_agents.scope import about
from policy_engine.guard import Guard, GuardSession
from policy_engine.state.hold import Scope, scope_of

__all__ = ["turn_of"]


class _Queue:
    """Who waits for one session's turn, and who has it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.length = 0


_Queues: TypeAlias = dict[Scope, _Queue]

_LOOPS: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakKeyDictionary[Guard, _Queues]] = (
    WeakKeyDictionary()
)


@asynccontextmanager
async def turn_of(guard: Guard, session: GuardSession, model: str) -> AsyncIterator[None]:
    """Hold the turn of a session while a model is asked, where tokens or cost are limited.

    Agents as tools that run side by side share their session's budget: what one of them uses is
    known when its response is there, and until then the next one waits.
    """
    request = about(session, "model_request", model=model)
    if all(limit.settled_now for limit in guard.engine.limits(request)):
        yield
        return
    loop = asyncio.get_running_loop()
    queues = _LOOPS.setdefault(loop, WeakKeyDictionary()).setdefault(guard, {})
    scope = scope_of(request)
    queue = queues.setdefault(scope, _Queue())
    queue.length += 1
    try:
        async with queue.lock:
            yield
    finally:
        queue.length -= 1
        if not queue.length:
            del queues[scope]
