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
from typing import Any, Final
from weakref import WeakKeyDictionary

from agents import ApplyPatchTool, CustomTool, Handoff, ShellTool, Tool
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
from policy_engine.adapters.openai_agents.function_tools import policy_name
from policy_engine.adapters.openai_agents.judge import foresee
from policy_engine.adapters.openai_agents.names import called_tools
from policy_engine.adapters.openai_agents.parts import decided
from policy_engine.adapters.openai_agents.scope import about
from policy_engine.adapters.openai_agents.written import note_written
from policy_engine.engine import Engine
from policy_engine.errors import RequestError
from policy_engine.guard import Guard, GuardSession

__all__ = ["patch_args", "redacted_calls", "shell_args"]

_MOST_NAMES: Final = 4096
_REDACTING: Final[WeakKeyDictionary[Engine, dict[tuple[str, str | None], bool]]] = (
    WeakKeyDictionary()
)


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
    asked = _asked(item, tools)
    if asked is None or not _may_redact(guard.engine, asked[0], session.agent):
        return item
    name, args = asked
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


def _asked(item: Any, tools: list[Tool]) -> tuple[str, dict[str, Any]] | None:
    """Return the tool that an item calls, and the arguments, as the call will be judged."""
    if isinstance(item, ResponseFunctionToolCall):
        found = called_tools(tools, item.name, item.namespace)
        if not found:
            return None
        try:
            args = read_arguments(item.arguments, found[0].params_json_schema)
        except RequestError:
            return None
        return policy_name(found[0]), args
    if isinstance(item, ResponseCustomToolCall):
        return _of_kind(tools, CustomTool, item.name, {"input": item.input})
    if isinstance(item, ResponseFunctionShellToolCall):
        return _of_kind(tools, ShellTool, None, shell_args(item.action))
    if isinstance(item, ResponseApplyPatchToolCall):
        return _of_kind(tools, ApplyPatchTool, None, patch_args(item.operation))
    return None


def _of_kind(
    tools: list[Tool], kind: type[Any], name: str | None, args: dict[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    for tool in tools:
        if isinstance(tool, kind) and name in (None, tool.name):
            return tool.name, args
    return None


def _rewritten(item: Any, args: Mapping[str, Any]) -> Any:
    if isinstance(item, ResponseFunctionToolCall):
        return item.model_copy(update={"arguments": write_arguments(args)})
    if isinstance(item, ResponseCustomToolCall):
        return item.model_copy(update={"input": args["input"]})
    if isinstance(item, ResponseFunctionShellToolCall):
        action = item.action.model_copy(update={"commands": args["commands"]})
        return item.model_copy(update={"action": action})
    return item.model_copy(update={"operation": item.operation.model_copy(update=dict(args))})


def _may_redact(engine: Engine, name: str, agent: str | None) -> bool:
    """Whether any rule could redact the arguments of a tool."""
    known = _REDACTING.setdefault(engine, {})
    found = known.get((name, agent))
    if found is None:
        if len(known) >= _MOST_NAMES:
            known.clear()
        links = engine.explain("tool_call", name, agent)
        found = known[name, agent] = any(link.effect == "redact" for link in links)
    return found


def _get(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
