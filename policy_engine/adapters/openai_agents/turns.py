"""Requests that wait for one another, because a budget is settled by the usage of each.

Theory of operation. What a request uses is known when its response is there. In one session the
guard permits one request at a time, so agents side by side take turns. Sessions that share a
budget, by tenant say, may each have a request under way: they go side by side while there is
room for all that they may use, which is what they send and their `max_tokens`, and where there
might not be they wait until others are settled. One of them may always go: a budget is used up
by what was used, and not by what might be. All this is known in one event loop alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from datetime import UTC, datetime
from typing import TypeAlias
from weakref import WeakKeyDictionary

from policy_engine.adapters.openai_agents.scope import about
from policy_engine.adapters.openai_agents.spending import Sent
from policy_engine.compiler import CompiledLimit
from policy_engine.decision import NO_FACTS, CounterNeed, Needs, Request
from policy_engine.guard import Guard, GuardSession
from policy_engine.state.hold import scope_of

__all__ = ["is_budgeted", "turn_of"]


class _Room:
    """Who is under way on one budget, or in one session, and who waits."""

    def __init__(self) -> None:
        self.door = asyncio.Lock()
        """Held by the one who is next."""
        self.left = asyncio.Event()
        self.taken: list[float] = []
        """What each of those under way may use."""
        self.length = 0


_Rooms: TypeAlias = dict[Hashable, _Room]

_LOOPS: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakKeyDictionary[Guard, _Rooms]] = (
    WeakKeyDictionary()
)


def is_budgeted(guard: Guard, session: GuardSession, model: str) -> bool:
    """Whether a limit waits for what a request to a model used."""
    return bool(_budgets(guard, about(session, "model_request", model=model)))


def turn_of(
    guard: Guard, session: GuardSession, model: str, sent: Callable[[], Sent]
) -> AbstractAsyncContextManager[None]:
    """Hold the turn of a request while a model is asked, where tokens or cost are limited.

    Args:
        guard: Whom to ask.
        session: Who asks.
        model: What policies call the model.
        sent: Returns the request, as far as it is known.
    """
    request = about(session, "model_request", model=model)
    limits = _budgets(guard, request)
    return _turn(guard, request, limits, sent()) if limits else nullcontext()


@asynccontextmanager
async def _turn(
    guard: Guard, request: Request, limits: list[CompiledLimit], sent: Sent
) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    rooms = _LOOPS.setdefault(loop, WeakKeyDictionary()).setdefault(guard, {})
    shares = _shares(guard, request, limits, sent)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_inside(rooms, scope_of(request), 0, _alone))
        # In one order, so that none waits for another that waits for it.
        for limit, need, amount in shares:
            fits = _fits(guard, request, limit, need, amount)
            await stack.enter_async_context(_inside(rooms, (limit.name, need.key), amount, fits))
        yield


def _budgets(guard: Guard, request: Request) -> list[CompiledLimit]:
    return [limit for limit in guard.engine.limits(request) if not limit.settled_now]


@asynccontextmanager
async def _inside(
    rooms: _Rooms, key: Hashable, amount: float, fits: Callable[[_Room], bool]
) -> AsyncIterator[None]:
    """Be under way in a room, as soon as one fits; first come, first served."""
    room = rooms.setdefault(key, _Room())
    room.length += 1
    try:
        async with room.door:
            while room.taken and not fits(room):
                room.left.clear()
                await room.left.wait()
            room.taken.append(amount)
        try:
            yield
        finally:
            room.taken.remove(amount)
            room.left.set()
    finally:
        room.length -= 1
        if not room.length:
            del rooms[key]


def _alone(_: _Room) -> bool:
    return False


def _fits(
    guard: Guard, request: Request, limit: CompiledLimit, need: CounterNeed, amount: float
) -> Callable[[_Room], bool]:
    needs = Needs(counters=(need,))

    def fits(room: _Room) -> bool:
        try:
            facts = guard.state.facts(request, needs, datetime.now(UTC))
        except Exception:  # noqa: BLE001 - where the store fails, the guard denies the request
            return True
        count = facts.counters.get((limit.name, need.key))
        return count is None or count.used + sum(room.taken) + amount <= limit.max

    return fits


def _shares(
    guard: Guard, request: Request, limits: list[CompiledLimit], sent: Sent
) -> list[tuple[CompiledLimit, CounterNeed, float]]:
    """Return what a request may use of each budget that it shares with other sessions."""
    read, written = sent.tokens, sent.max_tokens or 0
    found = []
    for limit in sorted(limits, key=lambda limit: limit.name):
        need = limit.need(request, NO_FACTS)
        if need is None or not limit.enforced or "session" in limit.by:
            continue
        cost = _cost(guard, request.model or "", read, written)
        found.append((limit, need, read + written if limit.unit == "tokens" else cost))
    return found


def _cost(guard: Guard, model: str, read: int, written: int) -> float:
    policies = guard.engine.compiled.policies.policies
    prices = [one.policy.prices[model] for one in policies if model in one.policy.prices]
    dearest = (
        max((price.input for price in prices), default=0.0),
        max((price.output for price in prices), default=0.0),
    )
    return (read * dearest[0] + written * dearest[1]) / 1_000_000
