"""Which functions can be guarded, and how."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from policy_engine.guard.call import Tool
from policy_engine.guard.parts import Parts
from policy_engine.guard.signature import Signature, unwrapped
from policy_engine.guard.wrapper import Wrapper

__all__ = ["TOOL", "Options", "guard_function", "guarded_as"]

TOOL: Final = "__policy_engine_tool__"
"""The attribute of a guarded function that says which tool it is, for `lint --tools`."""
_GUARDS: Final = "__policy_engine_guards__"
"""The attribute that says which guards guard a function."""

_FINISHED_TOOLS: Final = {
    "on_invoke_tool": "@function_tool",
    "args_schema": "@tool",
    "to_openai_tool": "@tool",
    "to_mcp_tool": "@mcp.tool",
    "__fastmcp__": "@mcp.tool",
    "fn_metadata": "@mcp.tool",
    "raw_function": "@validate_call",
    "function_schema": "@agent.tool",
}
"""Attributes that give away an object made from a function by somebody else's decorator."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a function is guarded.

    Raises:
        TypeError: `inject` is one text, or `wait` is no number.
        ValueError: `on_denied` is neither `raise` nor `return`, or `wait` is negative or NaN.
    """

    name: str | None = None
    on_denied: Literal["raise", "return"] = "raise"
    inject: tuple[str, ...] = ()
    wait: float = 0.0
    """How many seconds to wait for an approval before giving up; `math.inf` until it expires."""

    def __post_init__(self) -> None:
        if self.on_denied not in ("raise", "return"):
            raise ValueError(f'on_denied is "raise" or "return", not "{self.on_denied}"')
        if not isinstance(self.inject, tuple):
            raise TypeError(f'inject lists names: write inject=("{self.inject}",)')
        if isinstance(self.wait, bool) or not isinstance(self.wait, int | float):
            raise TypeError(f'wait is a number of seconds, not "{type(self.wait).__name__}"')
        if not self.wait >= 0:
            raise ValueError(f"wait is a number of seconds from 0 on, not {self.wait}")


def guard_function(
    guard: object, parts: Parts, function: Callable[..., Any], options: Options
) -> Callable[..., Any]:
    """Return the function, guarded; its kind, signature and names stay.

    Raises:
        TypeError: It is no function, or another decorator has made something else of it.
    """
    if isinstance(function, classmethod | staticmethod):
        has_owner = isinstance(function, classmethod)
        return type(function)(_guarded(guard, parts, function.__func__, options, has_owner))
    return _guarded(guard, parts, function, options, None)


def _guarded(
    guard: object,
    parts: Parts,
    function: Callable[..., Any],
    options: Options,
    has_owner: bool | None,  # noqa: FBT001 - as the signature takes it
) -> Callable[..., Any]:
    _refuse_finished(function)
    _refuse_manager(function)
    _refuse_guarded(guard, function)
    name = _name_of(function, options)
    if isinstance(function, functools.partial):
        _refuse_subclass(function)
        # What it has bound is judged with the rest, as an argument of the function inside.
        if has_owner and function.args:
            has_owner = False  # what it has bound stands first
        inner = _guarded(guard, parts, function.func, replace(options, name=name), has_owner)
        return _partial(inner, function, name)
    wrapper = Wrapper(
        guard,
        parts,
        function,
        Tool(name, Signature(function, options.inject, has_owner=has_owner)),
        returns_denials=options.on_denied == "return",
        wait=options.wait,
    )
    target = _coded(function)
    make = wrapper.plain
    if inspect.isasyncgenfunction(target):
        make = wrapper.async_generator
    elif inspect.iscoroutinefunction(target):
        make = wrapper.coroutine
    elif inspect.isgeneratorfunction(target):
        make = wrapper.generator
    made: Callable[..., Any] = make()
    setattr(made, TOOL, wrapper.tool)
    setattr(made, _GUARDS, (*getattr(made, _GUARDS, ()), guard))
    return made


def _partial(
    inner: Callable[..., Any], function: functools.partial[Any], name: str
) -> functools.partial[Any]:
    """Return a partial of a guarded function that binds what another one bound."""
    made = functools.partial(inner, *function.args, **function.keywords)
    vars(made).update({"__name__": name, "__doc__": inner.__doc__, **vars(function)})
    setattr(made, TOOL, getattr(inner, TOOL))
    return made


def _refuse_subclass(function: functools.partial[Any]) -> None:
    if type(function) is not functools.partial:
        kind = type(function).__name__
        raise TypeError(
            f'a "{kind}" may call its function otherwise than functools.partial does, which binds'
            " the rest: guard the function inside, and make it of that"
        )


def _coded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what says of which kind a callable is: of an object, its `__call__`."""
    if inspect.isroutine(function) or isinstance(function, type):
        return function
    call: Callable[..., Any] = type(function).__call__
    return call


def _name_of(function: Callable[..., Any], options: Options) -> str:
    name = options.name or getattr(function, "__name__", None)
    if not isinstance(name, str) or not name:
        kind = type(function).__name__
        raise TypeError(f'this "{kind}" has no name; give it one: @guard.tool(name="…")')
    return name


def _refuse_finished(function: object) -> None:
    for attribute, decorator in _FINISHED_TOOLS.items():
        if hasattr(function, attribute):
            raise TypeError(
                f"this is no plain function: {decorator} has been at it. Guard the function"
                f" first, so that what was checked is what runs:\n\n    {decorator}\n"
                "    @guarded(guard)\n    def …"
            )
    if not callable(function):
        raise TypeError(f'a "{type(function).__name__}" cannot be called, so it cannot be guarded')


def guarded_as(guard: object, function: Callable[..., Any]) -> str | None:
    """Return the tool as which a guard guards a function already; None where it does not."""
    for each in (*unwrapped(function), _coded(function)):
        guards = getattr(each, _GUARDS, ())
        if isinstance(guards, tuple) and any(known is guard for known in guards):
            return str(getattr(each, TOOL).name)
    return None


def _refuse_guarded(guard: object, function: Callable[..., Any]) -> None:
    """Refuse what the same guard guards already; two guards may guard one function."""
    name = guarded_as(guard, function)
    if name is not None:
        raise TypeError(
            f'this guard guards this function already, as the tool "{name}": each call would'
            " be counted, be recorded and use its approvals twice. Take one of the two away,"
            " or guard what stands in its __wrapped__ under the other name"
        )


@contextmanager
def _manager() -> Iterator[None]:
    yield


@asynccontextmanager
async def _manager_async() -> AsyncIterator[None]:
    yield


_MANAGERS: Final = tuple(made.__code__ for made in (_manager, _manager_async))
"""The code that every context manager made of a function runs when it is called."""


def _refuse_manager(function: Callable[..., Any]) -> None:
    for each in unwrapped(function):
        code = getattr(each, "__code__", None)
        if any(code is known for known in _MANAGERS):
            raise TypeError(
                "this function makes a context manager, whose body would run after the call was"
                " recorded as returned: guard the functions that are called inside `with`, and"
                " leave this one as it is"
            )
