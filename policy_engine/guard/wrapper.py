"""Wraps a function of any kind, so that policies decide about each call.

Theory of operation. Every wrapper walks the same road: a call is bound and decided, or `Denied`
is raised; the function runs; what it hands back is judged; the call ends, whatever happened.
What differs is only how a function is called and how it is waited for. A plain function that
hands back a coroutine or a generator is followed there, because nothing ran so far.
"""

import functools
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
)
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeGuard

from policy_engine.decision import Request
from policy_engine.guard.call import Call, Tool, enter
from policy_engine.guard.denied import ApprovalRequired, Denied
from policy_engine.guard.drive import drive, drive_async
from policy_engine.guard.parts import Parts
from policy_engine.guard.road import passed, passed_async, refuse
from policy_engine.guard.session import GuardSession, current
from policy_engine.guard.signature import Bound
from policy_engine.guard.unjudgeable import UnjudgeableError

__all__ = ["Wrapper"]

_Entered: TypeAlias = tuple[Call, tuple[Any, ...], dict[str, Any]]

_Work: TypeAlias = Generator[Any, Any, Any] | AsyncGenerator[Any, Any] | Awaitable[Any]

_FINAL: Final = frozenset({type(None), bool, int, float, str, list, dict, tuple})
"""Types of results that are not more work to do."""
_WORK: Final = (Generator, AsyncGenerator, Awaitable)


@dataclass(frozen=True, slots=True)
class Wrapper:
    """Makes the guarded function of each kind."""

    guard: object
    parts: Parts
    function: Callable[..., Any]
    tool: Tool
    returns_denials: bool
    wait: float

    def plain(self) -> Callable[..., Any]:
        """Wrap a function."""

        @functools.wraps(self.function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                call, positional, keywords = self._entered(args, kwargs)
                try:
                    if call.allowance is None:
                        result = self.function(*positional, **keywords)
                    else:
                        result = call.allowance.run(self.function, *positional, **keywords)
                except BaseException as error:
                    call.fail(error)
                    raise
                if _is_work(result):
                    return self._followed(call, result)
                if call.leave_quietly():
                    return result
                return drive(call.leave(result), self.parts.functions)
            except Denied as denied:
                return self._said(denied)

        return guarded

    def coroutine(self) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Wrap a coroutine function."""

        @functools.wraps(self.function)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                call, positional, keywords = await self._entered_async(args, kwargs)
            except Denied as denied:
                return self._said(denied)
            return await self._awaited(call, self.function(*positional, **keywords))

        return guarded

    def generator(self) -> Callable[..., Generator[Any, Any, Any]]:
        """Wrap a generator function; each item is judged before it is handed on."""

        @functools.wraps(self.function)
        def guarded(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            try:
                call, positional, keywords = self._entered(args, kwargs)
            except Denied as denied:
                yield self._said(denied)
                return None
            return (yield from self._stream(call, self.function(*positional, **keywords)))

        return guarded

    def async_generator(self) -> Callable[..., AsyncGenerator[Any, Any]]:
        """Wrap an async generator function, likewise."""

        @functools.wraps(self.function)
        async def guarded(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            try:
                call, positional, keywords = await self._entered_async(args, kwargs)
                stream = self._stream_async(call, self.function(*positional, **keywords))
            except Denied as denied:
                yield self._said(denied)
                return
            step: Callable[[], Awaitable[Any]] = functools.partial(anext, stream)
            try:
                while True:
                    item = await step()
                    try:
                        step = functools.partial(stream.asend, (yield item))
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 - it is the inner one's
                        step = functools.partial(stream.athrow, error)
            except StopAsyncIteration:
                return
            finally:
                await stream.aclose()

        return guarded

    # On the way in

    def _entered(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Entered:
        """Decide about one call, waiting for an approval where told to."""
        session, bound, request = self._asked(args, kwargs)
        ticket = passed(self.parts, request, session)
        if ticket.approvals and self.wait:
            needed = ApprovalRequired(ticket.decision, ticket.approvals, self.parts.approvals)
            if needed.wait(self.wait):
                ticket = passed(self.parts, request, session)
        return enter(self.parts, self.tool, session, bound, ticket)

    async def _entered_async(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Entered:
        """Decide likewise, without blocking the event loop."""
        session, bound, request = self._asked(args, kwargs)
        ticket = await passed_async(self.parts, request, session)
        if ticket.approvals and self.wait:
            needed = ApprovalRequired(ticket.decision, ticket.approvals, self.parts.approvals)
            if await needed.wait_async(self.wait):
                ticket = await passed_async(self.parts, request, session)
        return enter(self.parts, self.tool, session, bound, ticket)

    def _asked(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[GuardSession | None, Bound, Request]:
        """Bind one call; what is asked again after an approval is the same copy."""
        session = current(self.guard)
        try:
            bound = self.tool.signature.bind(args, kwargs)
        except UnjudgeableError as error:
            request = self.tool.request(None, session)
            denied = refuse(self.parts, request, session, "guard.unjudgeable", f"{error}")
            raise denied from error
        return session, bound, self.tool.request(bound.judged, session)

    # On the way out

    def _followed(self, call: Call, work: _Work) -> Any:
        """Follow a result that is more work to do."""
        if isinstance(work, Generator):
            return self._stream(call, work)
        if isinstance(work, AsyncGenerator):
            return self._stream_async(call, work)
        return self._awaited(call, work)

    async def _awaited(self, call: Call, running: Awaitable[Any]) -> Any:
        """Await the function, and judge what it returns."""
        try:
            try:
                if call.allowance is None:
                    result = await running
                else:
                    result = await call.allowance.wait(running)
            except BaseException as error:
                call.fail(error, "timed_out")
                raise
            if call.leave_quietly():
                return result
            return await drive_async(call.leave(result), self.parts.functions)
        except Denied as denied:
            return self._said(denied)

    def _stream(self, call: Call, inner: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Hand on what a generator yields, and hand back what it is sent."""
        step: Callable[[], Any] = functools.partial(next, inner)
        try:
            while True:
                try:
                    item = step() if call.allowance is None else call.allowance.run(step)
                except StopIteration as end:
                    return self._ended(call, end.value)
                handed = drive(call.judge(item), self.parts.functions)
                call.hand_back()
                try:
                    step = functools.partial(inner.send, (yield handed))
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - it is the inner one's to handle
                    step = functools.partial(inner.throw, error)
        except BaseException as error:
            try:
                # One that takes too long cannot be closed while it runs. Where the call is
                # denied, that is told, whatever goes wrong in cleaning up.
                with suppress(Exception if isinstance(error, Denied) else ValueError):
                    inner.close()
            finally:
                call.fail(error)
            if not isinstance(error, Denied):
                raise
            yield self._said(error)
            return None

    def _ended(self, call: Call, value: Any) -> Any:
        """Judge what a generator returns, and end its call."""
        handed = None if value is None else drive(call.judge(value), self.parts.functions)
        call.end("returned")
        return handed

    async def _stream_async(
        self, call: Call, inner: AsyncGenerator[Any, Any]
    ) -> AsyncGenerator[Any, Any]:
        """Hand on what an async generator yields, likewise."""
        step: Callable[[], Awaitable[Any]] = functools.partial(anext, inner)
        try:
            while True:
                try:
                    coming = step()
                    if call.allowance is not None:
                        coming = call.allowance.wait(coming)
                    item = await coming
                except StopAsyncIteration:
                    call.end("returned")
                    return
                handed = await drive_async(call.judge(item), self.parts.functions)
                call.hand_back()
                try:
                    step = functools.partial(inner.asend, (yield handed))
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - it is the inner one's to handle
                    step = functools.partial(inner.athrow, error)
        except BaseException as error:
            try:
                with suppress(*((Exception,) if isinstance(error, Denied) else ())):
                    await inner.aclose()
            finally:
                call.fail(error, "timed_out")
            if not isinstance(error, Denied):
                raise
            yield self._said(error)

    def _said(self, denied: Denied) -> Any:
        """Return what the model is told, or raise."""
        if self.returns_denials:
            return denied.message
        raise denied


def _is_work(result: Any) -> TypeGuard[_Work]:
    """Whether a result is more work to do; one whose class raises is none, and cannot be read."""
    try:
        return type(result) not in _FINAL and isinstance(result, _WORK)
    except Exception:  # noqa: BLE001 - whatever it is, it hides no outcome
        return False
