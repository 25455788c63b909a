"""Function tools, whatever they stand for: Python functions, MCP tools, agents.

The road: a copy of the tool whose `on_invoke_tool` asks first and judges the result, whose
`needs_approval` asks people, and whose `is_enabled` hides what is never permitted. What its author
says in place of a result is judged as one.
"""

import contextlib
import copy
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from agents import AgentBase, FunctionTool, RunContextWrapper
from agents.tool import ToolOriginType, get_function_tool_origin
from agents.tool_context import ToolContext

from policy_engine.adapters.openai_agents.agent_tools import PAUSED, is_agent_tool
from policy_engine.adapters.openai_agents.arguments import read_arguments, write_arguments
from policy_engine.adapters.openai_agents.instead import judge_instead, judges_instead
from policy_engine.adapters.openai_agents.judge import ask, call, enforce
from policy_engine.adapters.openai_agents.parts import as_read
from policy_engine.adapters.openai_agents.possible import is_possible
from policy_engine.adapters.openai_agents.reread import packed, refuse_packed
from policy_engine.adapters.openai_agents.said import note_said
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.adapters.openai_agents.told import note_told
from policy_engine.adapters.openai_agents.unpublished import mcp_name
from policy_engine.adapters.openai_agents.written import as_written
from policy_engine.decision import Decision
from policy_engine.errors import RequestError
from policy_engine.guard import CallPaused, Denied, Guard, GuardSession, ToolTimeout
from policy_engine.guard.guarded import guarded_as
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import snapshot

__all__ = ["asks", "guarded_tool", "guarded_twice", "is_mcp_tool", "policy_name", "served_name"]

Invoke = Callable[[ToolContext[Any], str], Awaitable[Any]]
_UNREADABLE: Final = "The arguments could not be read: {}. Send one JSON object."
_NO_FORM: Final[Any] = object()
"""Stands for arguments that cannot be read: no policy can judge it, so it is denied."""


def policy_name(tool: FunctionTool) -> str:
    """Return what policies call a tool: `server/name` where an MCP server has it."""
    return "/".join(served_name(tool)) if is_mcp_tool(tool) else tool.qualified_name


def served_name(tool: FunctionTool) -> tuple[str, str]:
    """Return what a tool of an MCP server is called: the server's name, and the tool's there."""
    origin = get_function_tool_origin(tool)
    server = None if origin is None else origin.mcp_server_name
    return mcp_name(tool) or (server or "mcp", tool.name)


def is_mcp_tool(tool: FunctionTool) -> bool:
    """Whether a tool is one of an MCP server."""
    origin = get_function_tool_origin(tool)
    return origin is not None and origin.type is ToolOriginType.MCP


def guarded_tool(tool: FunctionTool, guard: Guard, agent: str) -> FunctionTool:
    """Return a copy of a tool that asks the policies at each call.

    A tool that asks this guard for another agent, or under another name, is made anew: it asks
    for the agent that has it, under the name that it has.
    """
    if asks(tool, guard, agent):
        return tool
    guarded = copy.copy(tool)
    inner, approval, visible = tool.on_invoke_tool, tool.needs_approval, tool.is_enabled
    if isinstance(inner, _Road) and inner.guard is guard:
        inner = inner.inner
    if isinstance(approval, _Approval) and approval.road.guard is guard:
        approval = approval.author
    if isinstance(visible, _Visible) and visible.road.guard is guard:
        visible = visible.author
    road = _Road(guard, agent, policy_name(tool), guarded, inner)
    guarded.needs_approval = _Approval(road, approval)
    guarded.is_enabled = _Visible(road, visible)
    guarded.on_invoke_tool = road
    judge_instead(guarded, guard, agent, road.name)
    return guarded


def guarded_twice(tool: FunctionTool, guard: Guard) -> bool:
    """Whether the function behind a tool asks this guard by itself, as `@guarded` makes it."""
    function = getattr(tool, "__wrapped__", None)
    return function is not None and guarded_as(guard, function) is not None


def asks(tool: FunctionTool, guard: Guard, agent: str) -> bool:
    """Whether a tool asks this guard for this agent, under the name that it has."""
    road = tool.on_invoke_tool
    return (
        isinstance(road, _Road)
        and road.guard is guard
        and road.agent == agent
        and road.name == policy_name(tool)
        and isinstance(tool.needs_approval, _Approval)
        and tool.needs_approval.road is road
        and isinstance(tool.is_enabled, _Visible)
        and tool.is_enabled.road is road
        and judges_instead(tool, guard, agent, road.name)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Road:
    """What the SDK calls in place of the tool's own function.

    The SDK works out before each call which context the function takes. What it would find is
    written down, so that it need not look.
    """

    __signature__: ClassVar[inspect.Signature] = inspect.Signature(
        [
            inspect.Parameter(
                "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=ToolContext
            ),
            inspect.Parameter("text", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=str),
        ]
    )
    __no_type_check__: ClassVar[bool] = True

    guard: Guard
    agent: str
    name: str
    tool: FunctionTool
    inner: Invoke

    async def __call__(self, context: ToolContext[Any], text: str) -> Any:
        """Decide about a call and make it; a denial is what the model is told."""
        session = session_for(self.guard, self.agent, context)
        call_id = context.tool_call_id
        try:
            args = read_arguments(text, self.tool.params_json_schema)
        except RequestError as error:
            note_told(context)
            return await self._unreadable(session, call_id, error)
        args = as_written(self.guard, session, self.name, args)
        request = about(session, "tool_call", tool=self.name, args=args, call_id=call_id)

        async def run(decision: Decision) -> Any:
            return await self._run(context, session, decision)

        try:
            await refuse_packed(self.guard, session, request)
            return await call(self.guard, session, request, run)
        except CallPaused:
            return None
        except Denied as denied:
            note_told(context)
            return denied.message
        except ToolTimeout as late:
            note_told(context)
            note_said(self.guard, session, f"{late}")
            return f"{late}"

    async def _run(
        self, context: ToolContext[Any], session: GuardSession, decision: Decision
    ) -> Any:
        args = write_arguments(decision.request.args or {})
        if is_agent_tool(self.tool):
            token = PAUSED.set(True)
            try:
                result = await self.inner(context, args)
                if PAUSED.get():
                    raise CallPaused
            finally:
                PAUSED.reset(token)
        else:
            result = await self.inner(_with_arguments(context, args), args)
        try:
            form = snapshot(result)[0]
        except UnjudgeableError:
            # As the SDK will write it for the model: what is judged is what it is handed.
            return str(result)
        read = await as_read(self.guard, session, decision.request, form)
        return result if read is form else read

    async def _unreadable(self, session: GuardSession, call_id: str, error: RequestError) -> str:
        """Have the denial recorded; what cannot be read is told as a value without a form."""
        request = about(session, "tool_call", tool=self.name, args=_NO_FORM, call_id=call_id)
        with contextlib.suppress(Denied):
            self.guard.release(await enforce(self.guard, session, request))
        told = _UNREADABLE.format(error)
        note_said(self.guard, session, told)
        return told


@dataclass(frozen=True, slots=True, eq=False)
class _Approval:
    """`needs_approval`: pauses where the policies or the tool's author want people asked."""

    road: _Road
    author: bool | Callable[[RunContextWrapper[Any], dict[str, Any], str], Awaitable[bool]]

    async def __call__(
        self, context: RunContextWrapper[Any], raw: dict[str, Any], call_id: str
    ) -> bool:
        road = self.road
        if self.author is False and not is_possible(
            road.guard.engine, "require_approval", road.name, road.agent
        ):
            return False
        session = session_for(road.guard, road.agent, context)
        try:
            args = read_arguments(write_arguments(raw), road.tool.params_json_schema)
        except (RequestError, ValueError):
            return False
        args = as_written(road.guard, session, road.name, args)
        request = about(session, "tool_call", tool=road.name, args=args, call_id=call_id)
        if await packed(road.guard, session, request) is not None:
            return False
        try:
            asked = await ask(road.guard, session, request)
        except Denied:
            return False
        if asked.decision.effect == "deny":
            # Nobody is asked about a call that is denied anyway.
            return False
        if asked.decision.effect == "require_approval" or isinstance(self.author, bool):
            return asked.decision.effect == "require_approval" or bool(self.author)
        wanted: Any = self.author(context, raw, call_id)
        return bool(await wanted if inspect.isawaitable(wanted) else wanted)


@dataclass(frozen=True, slots=True, eq=False)
class _Visible:
    """`is_enabled`: hides what names alone deny; the call is refused all the same."""

    road: _Road
    author: bool | Callable[..., Any]

    async def __call__(self, context: RunContextWrapper[Any], agent: AgentBase[Any]) -> bool:
        if self.road.guard.engine.never_permits("tool_call", self.road.name, self.road.agent):
            return False
        if isinstance(self.author, bool):
            return self.author
        found = self.author(context, agent)
        return bool(await found if inspect.isawaitable(found) else found)


def _with_arguments(context: ToolContext[Any], args: str) -> ToolContext[Any]:
    """Return the context with the arguments that were permitted: a tool may read them there."""
    if context.tool_arguments == args:
        return context
    changed = copy.copy(context)
    changed.tool_arguments = args
    if changed.tool_call:
        changed.tool_call = changed.tool_call.model_copy(update={"arguments": args})
    return changed
