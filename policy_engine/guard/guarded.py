"""Wrap a function of any kind, so that policies decide about each call."""

import asyncio
import contextvars
import functools
import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import Any, Final, Literal, ParamSpec, TypeVar, cast

from policy_engine.decision import Request
from policy_engine.guard.call import Call, Tool, ToolTimeout
from policy_engine.guard.denied import ApprovalRequired, Denied
from policy_engine.guard.drive import drive, drive_async
from policy_engine.guard.parts import Parts
from policy_engine.guard.session import current
from policy_engine.guard.signature import Signature
from policy_engine.guard.values import UnjudgeableError

__all__ = ["Options", "guard_function"]

P = ParamSpec("P")
R = TypeVar("R")

_FINISHED_TOOLS: Final = {
    "on_invoke_tool": "@function_tool",
    "args_schema": "@tool",
    "to_openai_tool": "@tool",
    "fn_metadata": "@mcp.tool",
    "raw_function": "@validate_call",
    "function_schema": "@agent.tool",
}
"""Attributes that give away an object made from a function by somebody else's decorator."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a function is guarded."""

    name: str | None = None
    on_denied: Literal["raise", "return"] = "raise"
    inject: tuple[str, ...] = ()
    wait: float = 0.0
    """How many seconds to wait for an approval before giving up."""


def guard_function(
    guard: object, parts: Parts, function: Callable[P, R], options: Options
) -> Callable[P, R]:
    """Return the function, guarded; its kind, signature and names stay.

    Raises:
        TypeError: It is no function, or another decorator has made something else of it.
    """
    if isinstance(function, classmethod | staticmethod):
        inner = guard_function(guard, parts, function.__func__, options)
        return cast("Callable[P, R]", type(function)(inner))
    _refuse_finished(function)
    maker = _Maker(guard, parts, function, _tool_of(function, options), options)
    target = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    if inspect.isasyncgenfunction(target):
        made: Callable[..., Any] = maker.async_generator()
    elif inspect.iscoroutinefunction(target):
        made = maker.coroutine()
    elif inspect.isgeneratorfunction(target):
        made = maker.generator()
    else:
        made = maker.plain()
    return cast("Callable[P, R]", made)


def _tool_of(function: Callable[..., Any], options: Options) -> Tool:
    name = options.name or getattr(function, "__name__", None)
    if not name:
        raise TypeError(f'{function!r} has no name; give one: @guard.tool(name="…")')
    return Tool(name, Signature(function, options.inject))


def _refuse_finished(function: object) -> None:
    for attribute, decorator in _FINISHED_TOOLS.items():
        if hasattr(function, attribute):
            raise TypeError(
                f"this is no plain function: {decorator} has been at it. Guard the function"
                f" first, so that what was checked is what runs:\n\n    {decorator}\n"
                "    @guarded(guard)\n    def …"
            )
    if not callable(function):
        raise TypeError(f"{type(function).__name__} cannot be called, so it cannot be guarded")


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the wrapper of each kind of function; all walk the same road."""

    guard: object
    parts: Parts
    function: Callable[..., Any]
    tool: Tool
    options: Options

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """Bind one call; raise `Denied` for arguments that cannot be judged."""
        session = current(self.guard)
        try:
            bound = self.tool.signature.bind(args, kwargs)
        except UnjudgeableError as error:
            engine = self.parts.revision.engine
            nothing = engine.decide(Request(tool=self.tool.name))
            raise Denied(nothing.denied("guard.unjudgeable", f"{error}")) from error
        return Call(self.parts, self.tool, session, bound)

    def plain(self) -> Callable[..., Any]:
        """Wrap a function."""

        @functools.wraps(self.function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                call, given = self.enter(args, kwargs)
                try:
                    result = _within(call.timeout, self.function, *given)
                except BaseException as error:
                    call.fail(error, "unknown" if isinstance(error, ToolTimeout) else None)
                    raise
                return drive(call.leave(result), self.parts.functions)
            except Denied as denied:
                return self.said(denied)

        return guarded

    def coroutine(self) -> Callable[..., Any]:
        """Wrap a coroutine function."""

        @functools.wraps(self.function)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                call, (positional, keywords) = await self.enter_async(args, kwargs)
                try:
                    running = self.function(*positional, **keywords)
                    result = await _within_async(call.timeout, running)
                except BaseException as error:
                    call.fail(error)
                    raise
                return await drive_async(call.leave(result), self.parts.functions)
            except Denied as denied:
                return self.said(denied)

        return guarded

    def generator(self) -> Callable[..., Any]:
        """Wrap a generator function; each item is judged before it is handed on."""

        @functools.wraps(self.function)
        def guarded(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            try:
                call, (positional, keywords) = self.enter(args, kwargs)
                return (yield from self.items(call, self.function(*positional, **keywords)))
            except Denied as denied:
                yield self.said(denied)
                return None

        return guarded

    def items(self, call: Call, inner: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Hand on what a generator yields, and hand back what it is sent."""
        step: Callable[[], Any] = functools.partial(next, inner)
        try:
            while True:
                item = drive(call.judge(step()), self.parts.functions)
                try:
                    sent = yield item
                    step = functools.partial(inner.send, sent)
                except GeneratorExit:
                    inner.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - it is the inner one's to handle
                    step = functools.partial(inner.throw, error)
        except StopIteration as end:
            call.end("returned")
            return end.value
        except BaseException as error:
            inner.close()
            call.fail(error)
            raise

    def async_generator(self) -> Callable[..., Any]:
        """Wrap an async generator function, likewise."""

        @functools.wraps(self.function)
        async def guarded(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            try:
                call, (positional, keywords) = await self.enter_async(args, kwargs)
            except Denied as denied:
                yield self.said(denied)
                return
            inner = self.function(*positional, **keywords)
            step: Callable[[], Any] = functools.partial(anext, inner)
            try:
                while True:
                    item = await drive_async(call.judge(await step()), self.parts.functions)
                    try:
                        sent = yield item
                        step = functools.partial(inner.asend, sent)
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 - it is the inner one's
                        step = functools.partial(inner.athrow, error)
            except StopAsyncIteration:
                call.end("returned")
            except Denied as denied:
                await inner.aclose()
                call.fail(denied)
                yield self.said(denied)
            except BaseException as error:
                await inner.aclose()
                call.fail(error)
                raise

        return guarded

    def enter(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Call, tuple[tuple[Any, ...], dict[str, Any]]]:
        """Decide about one call, waiting for an approval where told to."""
        call = self.call(args, kwargs)
        try:
            return call, drive(call.enter(), self.parts.functions)
        except ApprovalRequired as needed:
            if not self.options.wait or not needed.wait(self.options.wait):
                raise
        call = self.call(args, kwargs)
        return call, drive(call.enter(), self.parts.functions)

    async def enter_async(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Call, tuple[tuple[Any, ...], dict[str, Any]]]:
        """Decide likewise, without blocking the event loop."""
        call = self.call(args, kwargs)
        try:
            return call, await drive_async(call.enter(), self.parts.functions)
        except ApprovalRequired as needed:
            if not self.options.wait or not await needed.wait_async(self.options.wait):
                raise
        call = self.call(args, kwargs)
        return call, await drive_async(call.enter(), self.parts.functions)

    def said(self, denied: Denied) -> Any:
        """Return what the model is told, or raise."""
        if self.options.on_denied == "return":
            return denied.message
        raise denied


def _within(
    timeout: float | None,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Call a function, for no longer than the time limit: then it runs on, unheard."""
    if timeout is None:
        return function(*args, **kwargs)
    box: list[Any] = []
    errors: list[BaseException] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            box.append(context.run(function, *args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - it is raised where the caller waits
            errors.append(error)

    thread = threading.Thread(target=run, name=getattr(function, "__name__", "tool"), daemon=True)
    thread.start()
    thread.join(timeout)
    if errors:
        raise errors[0]
    if box:
        return box[0]
    raise ToolTimeout(
        f"the tool took longer than {timeout:g} s; whether it had an effect is unknown"
    )


async def _within_async(timeout: float | None, running: Any) -> Any:  # noqa: ASYNC109
    if timeout is None:
        return await running
    try:
        async with asyncio.timeout(timeout) as limit:
            return await running
    except TimeoutError as error:
        if limit.expired():
            raise ToolTimeout(f"the tool took longer than {timeout:g} s") from error
        raise
