"""Who asks: session, agent and principal, held by an object and carried by a context variable."""

from __future__ import annotations

import contextvars
import functools
import inspect
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from types import FrameType, MappingProxyType, TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar, cast

from policy_engine.audit import Trace
from policy_engine.decision.wire import read_request
from policy_engine.errors import RequestError
from policy_engine.guard.log import LOG
from policy_engine.guard.suspended import generator_of, is_suspended
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import snapshot

__all__ = ["GuardSession", "current"]

P = ParamSpec("P")
R = TypeVar("R")


class GuardSession:
    """A session as the guard knows it.

    As a context manager it holds for what runs inside, tasks included; sessions of other guards
    go on holding for theirs. A new thread starts without one: carry it there with `run` or
    `bind`; what does not carry over is denied. One that a generator enters holds while the
    generator is under way, and not for who goes through it; context managers and fixtures that
    are written as generators hold until they end.
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
        self.principal = _frozen("principal", principal)
        self.context = _frozen("context", context)
        self.trace = trace
        _refuse_odd(self)

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
        """Call a function in this session, in whatever thread; sync or async."""
        if inspect.iscoroutinefunction(function):
            return cast("R", self._awaited(function(*args, **kwargs)))
        with self:
            return function(*args, **kwargs)

    def bind(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return the function, to be called in this session in another thread; sync or async."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def bound_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                async with self:
                    return await function(*args, **kwargs)

            return cast("Callable[P, R]", bound_async)

        @functools.wraps(function)
        def bound(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return function(*args, **kwargs)

        return bound

    async def _awaited(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        async with self:
            return await coroutine

    def __enter__(self) -> Self:
        self._begin(sys._getframe(1))  # noqa: SLF001 - who enters it
        return self

    def _begin(self, frame: FrameType) -> None:
        _CURRENT.set(_Frame(self, _CURRENT.get(), generator_of(frame)))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _CURRENT.set(_without(self, _CURRENT.get()))

    async def __aenter__(self) -> Self:
        self._begin(sys._getframe(1))  # noqa: SLF001 - who enters it
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A session that holds, and what held before it was entered."""

    session: GuardSession
    outer: _Frame | None
    generator: FrameType | None = None
    """The generator that entered it, if one did: the session holds while that is under way."""


_CURRENT: Final[contextvars.ContextVar[_Frame | None]] = contextvars.ContextVar(
    "policy_engine_session", default=None
)


def current(guard: object) -> GuardSession | None:
    """Return the innermost session of this guard that holds here."""
    frame = _CURRENT.get()
    while frame is not None:
        if frame.session.guard is guard:
            if frame.generator is None or not is_suspended(frame.generator):
                return frame.session
            LOG.debug("a session that a generator entered does not hold while that is suspended")
        frame = frame.outer
    return None


def _without(session: GuardSession, frame: _Frame | None) -> _Frame | None:
    """Leave a session; where it was entered in another context, nothing holds to be left."""
    if frame is None or frame.session is session:
        return None if frame is None else frame.outer
    return _Frame(frame.session, _without(session, frame.outer), frame.generator)


def _frozen(what: str, value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise RequestError(f'"{what}" is a mapping, not "{type(value).__name__}"')
    try:
        return MappingProxyType(snapshot(dict(value))[0])
    except UnjudgeableError as error:
        raise RequestError(f'"{what}" cannot be judged: {error}') from None


def _refuse_odd(session: GuardSession) -> None:
    """Refuse what no request could carry, as it is refused on the wire."""
    principal = session.principal
    read_request(
        {
            "stage": "output",
            "text": "",
            "agent": session.agent,
            "session": session.id,
            "principal": None if principal is None else dict(principal),
        }
    )
