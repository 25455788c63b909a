"""Who asks: session, agent and principal, held by an object and carried by a context variable."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar

from policy_engine.audit import Trace
from policy_engine.guard.values import snapshot

__all__ = ["GuardSession", "current"]

P = ParamSpec("P")
R = TypeVar("R")


class GuardSession:
    """A session as the guard knows it.

    As a context manager it holds for what runs inside, tasks included. A new thread starts
    without one: carry it there with `run` or `bind`; what does not carry over is denied.
    """

    __slots__ = ("agent", "context", "guard", "id", "principal", "trace")

    def __init__(
        self,
        guard: object,
        id: str | None,  # noqa: A002 - the word of the request
        *,
        agent: str | None,
        principal: Mapping[str, Any] | None,
        context: Mapping[str, Any] | None,
        trace: Trace,
    ) -> None:
        self.guard = guard
        self.id = id
        self.agent = agent
        self.principal = _frozen(principal)
        self.context = _frozen(context)
        self.trace = trace

    def as_agent(self, agent: str) -> GuardSession:
        """Return the same session under another agent, as after a handoff."""
        return GuardSession(
            self.guard,
            self.id,
            agent=agent,
            principal=self.principal,
            context=self.context,
            trace=self.trace,
        )

    def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function in this session, in whatever thread."""
        token = _CURRENT.set(self)
        try:
            return function(*args, **kwargs)
        finally:
            _CURRENT.reset(token)

    def bind(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return the function, to be called in this session in another thread."""

        def bound(*args: P.args, **kwargs: P.kwargs) -> R:
            return self.run(function, *args, **kwargs)

        return bound

    def __enter__(self) -> Self:
        _ENTERED.set((*_ENTERED.get(), _CURRENT.set(self)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        *outer, token = _ENTERED.get()
        _ENTERED.set(tuple(outer))
        _CURRENT.reset(token)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)


_CURRENT: Final[contextvars.ContextVar[GuardSession | None]] = contextvars.ContextVar(
    "policy_engine_session", default=None
)
_ENTERED: Final[contextvars.ContextVar[tuple[contextvars.Token[GuardSession | None], ...]]] = (
    contextvars.ContextVar("policy_engine_entered", default=())
)


def current(guard: object) -> GuardSession | None:
    """Return the session that holds here, if it belongs to this guard."""
    found = _CURRENT.get()
    return found if found is not None and found.guard is guard else None


def _frozen(value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return None if value is None else MappingProxyType(snapshot(dict(value))[0])
