"""The calls in a response: what will be redacted of a call is redacted in what the SDK keeps.

Theory of operation. The SDK stores a model's call as the model wrote it: in the run's items, in
sessions, in written states, in traces, and in the next request. Where a call is permitted after
redaction, it is kept here as it will run, before the SDK sees it. When the call is made, it is
decided by what the model wrote, which is remembered in this process, so that its record says what
was redacted; anywhere else it is decided as it was kept, which is what runs in either case.

Arguments that are no JSON object are kept in one that holds them and is refused: the SDK would
ask people about them.

Where people have to be asked the call is left as the model wrote it: what they approve is the
redacted request, and a condition that asks for them may hold for what was written alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agents import ApplyPatchTool, CustomTool, FunctionTool, Handoff, ShellTool, Tool
from openai.types.responses import (
    ResponseApplyPatchToolCall,
    ResponseCustomToolCall,
    ResponseFunctionShellToolCall,
    ResponseFunctionToolCall,
)

from policy_engine.adapters.openai_agents.arguments import (
    as_readable,
    read_arguments,
    read_said,
    write_arguments,
)
from policy_engine.adapters.openai_agents.judge import foresee
from policy_engine.adapters.openai_agents.names import called_tools, tool_name
from policy_engine.adapters.openai_agents.parts import decided
from policy_engine.adapters.openai_agents.possible import is_possible
from policy_engine.adapters.openai_agents.scope import about
from policy_engine.adapters.openai_agents.written import note_written
from policy_engine.errors import RequestError
from policy_engine.guard import Guard, GuardSession

__all__ = ["patch_args", "redacted_calls", "shell_args"]


async def redacted_calls(
    guard: Guard,
    session: GuardSession,
    output: Iterable[Any],
    tools: Iterable[Tool],
    handoffs: Iterable[Handoff[Any, Any]],
) -> list[Any]:
    """Return a model's output items with the arguments that calls will run with."""
    shown = list(tools)
    names = {handoff.tool_name for handoff in handoffs}
    found: list[Any] = []
    for item in output:
        if isinstance(item, ResponseFunctionToolCall) and item.name in names:
            found.append(await _told(guard, session, item))
        else:
            found.append(await _redacted(guard, session, _readable(item), shown))
    return found


def shell_args(action: object) -> dict[str, Any]:
    """Return what policies judge of a shell's action."""
    args: dict[str, Any] = {"commands": list(_get(action, "commands") or ())}
    if _get(action, "timeout_ms") is not None:
        args["timeout_ms"] = _get(action, "timeout_ms")
    return args


def patch_args(operation: object) -> dict[str, Any]:
    """Return what policies judge of a patch's operation."""
    found = {name: _get(operation, name) for name in ("type", "path", "diff", "move_to")}
    return {name: value for name, value in found.items() if value is not None}


async def _redacted(guard: Guard, session: GuardSession, item: Any, tools: list[Tool]) -> Any:
    tool = _called(item, tools)
    name = "" if tool is None else tool_name(tool)
    if tool is None or not is_possible(guard.engine, "redact", name, session.agent):
        return item
    args = _args(item, tool)
    if args is None:
        return item
    request = about(session, "tool_call", tool=name, args=args, call_id=item.call_id)
    decision = await foresee(guard, session, request)
    permitted = decision.request.args
    if decision.effect != "redact" or permitted is None or permitted == args:
        return item
    note_written(guard, session, name, args, permitted)
    return _rewritten(item, permitted)


async def _told(guard: Guard, session: GuardSession, item: ResponseFunctionToolCall) -> Any:
    """Return a handoff with what it tells as it will be told."""
    said = read_said(item.arguments)
    if said is None:
        return item
    decision, permitted = await decided(guard, session, "output", said, foresee)
    if not decision.permitted or permitted == said or not isinstance(permitted, Mapping):
        return item
    note_written(guard, session, item.name, said, permitted)
    return _rewritten(item, permitted)


def _readable(item: Any) -> Any:
    if not isinstance(item, ResponseFunctionToolCall):
        return item
    text = as_readable(item.arguments)
    return item if text == item.arguments else item.model_copy(update={"arguments": text})


def _called(item: Any, tools: list[Tool]) -> Tool | None:
    """Return the tool that an item calls; None where it calls none, or none that is known."""
    if isinstance(item, ResponseFunctionToolCall):
        return next(iter(called_tools(tools, item.name, item.namespace)), None)
    if isinstance(item, ResponseCustomToolCall):
        return _of_kind(tools, CustomTool, item.name)
    if isinstance(item, ResponseFunctionShellToolCall):
        return _of_kind(tools, ShellTool, None)
    if isinstance(item, ResponseApplyPatchToolCall):
        return _of_kind(tools, ApplyPatchTool, None)
    return None


def _of_kind(
    tools: list[Tool], kind: type[CustomTool | ShellTool | ApplyPatchTool], name: str | None
) -> Tool | None:
    return next((t for t in tools if isinstance(t, kind) and name in (None, t.name)), None)


def _args(item: Any, tool: Tool) -> dict[str, Any] | None:
    """Return the arguments as the call will be judged; None where they cannot be read."""
    if isinstance(tool, FunctionTool):
        try:
            return read_arguments(item.arguments, tool.params_json_schema)
        except RequestError:
            return None
    if isinstance(tool, CustomTool):
        return {"input": item.input}
    return shell_args(item.action) if isinstance(tool, ShellTool) else patch_args(item.operation)


def _rewritten(item: Any, args: Mapping[str, Any]) -> Any:
    if isinstance(item, ResponseFunctionToolCall):
        return item.model_copy(update={"arguments": write_arguments(args)})
    if isinstance(item, ResponseCustomToolCall):
        return item.model_copy(update={"input": args["input"]})
    if isinstance(item, ResponseFunctionShellToolCall):
        action = item.action.model_copy(update={"commands": args["commands"]})
        return item.model_copy(update={"action": action})
    return item.model_copy(update={"operation": item.operation.model_copy(update=dict(args))})


def _get(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
