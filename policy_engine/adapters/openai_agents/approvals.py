"""Carry people's answers from our store into a paused run; what was not answered keeps waiting."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agents import (
    Agent,
    ApplyPatchTool,
    CustomTool,
    FunctionTool,
    RunContextWrapper,
    RunState,
    ShellTool,
    ToolApprovalItem,
)

from policy_engine.adapters.openai_agents.arguments import read_arguments
from policy_engine.adapters.openai_agents.attached import is_guarded_agent
from policy_engine.adapters.openai_agents.calls import patch_args, shell_args
from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError
from policy_engine.adapters.openai_agents.function_tools import policy_name
from policy_engine.adapters.openai_agents.history import note_paused
from policy_engine.adapters.openai_agents.judge import ask, enforce
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.adapters.openai_agents.written import as_written
from policy_engine.decision import ApprovalUse, Decision
from policy_engine.errors import RequestError
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["Applied", "apply_approvals"]


_UNGUARDED: Final = (
    "waits in a state of agents that are not guarded: read it with guard_agent(agent, guard)"
)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the calls that a run waits for, by their ids."""

    approved: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """Not answered yet, or asked for by the tool's author and not by a policy."""


async def apply_approvals(
    state: RunState[Any, Any],
    guard: Guard,
    *,
    session: str | None = None,
    principal: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
) -> Applied:
    """Approve and reject the calls that a run waits for, as people answered in `guard.approvals`.

    An approval belongs to exactly one request, so it has to be said again who makes it. What is
    approved here is decided once more when the call is made. What models and tools said in the
    run before is not judged again by rules about input, in whatever process it was said.

    Args:
        state: The paused run, as a guarded run wrote it: keep it where nobody else writes.
        guard: Whose approvals.
        session: As `run_config` was told.
        principal: As `run_config` was told.
        context: As `run_config` was told; where none of the three is given, the surrounding
            `guard.session` says it.

    Raises:
        UnmediatedError: The state was made or read with agents that this guard does not guard.
    """
    who = None
    if not (session is None and principal is None and context is None):
        who = guard.session(session, principal=principal, context=context)
    ended: dict[str, list[str]] = {"approved": [], "rejected": [], "waiting": []}
    for item in state.get_interruptions():
        agent = item.agent
        if not is_guarded_agent(agent, guard):
            gaps = [Gap(agent.name, item.tool_name or "a call", _UNGUARDED)]
            raise UnmediatedError(gaps, "nothing was approved")
        mine = session_for(guard, agent.name) if who is None else who.as_agent(agent.name)
        decision = await _decided(guard, mine, agent, item)
        if decision is None or decision.effect == "deny":
            text = "The arguments could not be read." if decision is None else decision.message
            state.reject(item, rejection_message=text)
            ended["rejected"].append(_call_id(item))
        elif decision.permitted and _was_approved(decision):
            state.approve(item)
            ended["approved"].append(_call_id(item))
        else:
            ended["waiting"].append(_call_id(item))
    note_paused(guard, session_for(guard, None) if who is None else who, state)
    return Applied(*(tuple(ended[name]) for name in ("approved", "rejected", "waiting")))


def _was_approved(decision: Decision) -> bool:
    return any(isinstance(item, ApprovalUse) for item in decision.obligations) or any(
        reason.code == "approval.approved" for reason in decision.reasons
    )


async def _decided(
    guard: Guard, session: GuardSession, agent: Agent[Any], item: ToolApprovalItem
) -> Decision | None:
    """Return the decision of now, asking people where nobody was asked by this store yet.

    None where the arguments cannot be read.
    """
    try:
        name, args = await _asked(agent, item)
    except RequestError:
        return None
    args = as_written(guard, session, name, args)
    request = about(session, "tool_call", tool=name, args=args, call_id=_call_id(item))
    decision = (await ask(guard, session, request)).decision
    if decision.effect == "deny":
        # The SDK rejects the call by itself, so this is where its denial is recorded.
        with contextlib.suppress(Denied):
            guard.release(await enforce(guard, session, request))
    return decision


async def _asked(agent: Agent[Any], item: ToolApprovalItem) -> tuple[str, dict[str, Any]]:
    """Return the tool and the arguments, as the call will be judged.

    Raises:
        RequestError: The arguments cannot be read.
    """
    raw = item.raw_item
    for tool in agent.tools:
        named = tool.name == item.tool_name
        if named and isinstance(tool, CustomTool):
            return tool.name, {"input": str(_get(raw, "input"))}
        if named and isinstance(tool, ShellTool):
            return tool.name, shell_args(_get(raw, "action"))
        if named and isinstance(tool, ApplyPatchTool):
            return tool.name, patch_args(_get(raw, "operation"))
    text = str(_get(raw, "arguments") or "")
    found = await _function_tool(agent, item)
    if found is None:
        return item.qualified_name or "", read_arguments(text, {})
    return policy_name(found), read_arguments(text, found.params_json_schema)


async def _function_tool(agent: Agent[Any], item: ToolApprovalItem) -> FunctionTool | None:
    known = [tool for tool in agent.tools if isinstance(tool, FunctionTool)]
    names = (item.tool_name, item.qualified_name)
    for tool in known:
        if tool.qualified_name in names:
            return tool
    listed = await agent.get_mcp_tools(RunContextWrapper(context=None)) if agent.mcp_servers else []
    return next((t for t in listed if isinstance(t, FunctionTool) and t.name in names), None)


def _call_id(item: ToolApprovalItem) -> str:
    return str(item.call_id or _get(item.raw_item, "id") or "")


def _get(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
