"""Which functions can be guarded, and how."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from policy_engine.guard.call import Tool
from policy_engine.guard.parts import Parts
from policy_engine.guard.signature import Signature
from policy_engine.guard.wrapper import Wrapper

__all__ = ["TOOL", "Options", "guard_function"]

TOOL: Final = "__policy_engine_tool__"
"""The attribute of a guarded function that says which tool it is, for `lint --tools`."""

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
        TypeError: `inject` is one text.
        ValueError: `on_denied` is neither `raise` nor `return`.
    """

    name: str | None = None
    on_denied: Literal["raise", "return"] = "raise"
    inject: tuple[str, ...] = ()
    wait: float = 0.0
    """How many seconds to wait for an approval before giving up."""

    def __post_init__(self) -> None:
        if self.on_denied not in ("raise", "return"):
            raise ValueError(f'on_denied is "raise" or "return", not "{self.on_denied}"')
        if not isinstance(self.inject, tuple):
            raise TypeError(f'inject lists names: write inject=("{self.inject}",)')


def guard_function(
    guard: object, parts: Parts, function: Callable[..., Any], options: Options
) -> Callable[..., Any]:
    """Return the function, guarded; its kind, signature and names stay.

    Raises:
        TypeError: It is no function, or another decorator has made something else of it.
    """
    if isinstance(function, classmethod | staticmethod):
        inner = guard_function(guard, parts, function.__func__, options)
        return type(function)(inner)
    _refuse_finished(function)
    wrapper = Wrapper(
        guard,
        parts,
        function,
        _tool_of(function, options),
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
    return made


def _coded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what says of which kind a callable is: of an object, its `__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or isinstance(function, type):
        return function
    call: Callable[..., Any] = type(function).__call__
    return call


def _tool_of(function: Callable[..., Any], options: Options) -> Tool:
    name = options.name or getattr(function, "__name__", None)
    if not isinstance(name, str) or not name:
        kind = type(function).__name__
        raise TypeError(f'this "{kind}" has no name; give it one: @guard.tool(name="…")')
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
        raise TypeError(f'a "{type(function).__name__}" cannot be called, so it cannot be guarded')
