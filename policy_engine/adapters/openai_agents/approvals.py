"""Carry people's answers from our store into a paused run; what was not answered keeps waiting."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
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
from policy_engine.adapters.openai_agents.names import called_tools
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.adapters.openai_agents.twins import lets_go, was_approved
from policy_engine.adapters.openai_agents.unpublished import context_of_state
from policy_engine.adapters.openai_agents.written import as_written
from policy_engine.decision import Decision
from policy_engine.errors import RequestError
from policy_engine.guard import Denied, Guard, GuardSession
from policy_engine.guard.log import warn

__all__ = ["Applied", "apply_approvals"]


_UNGUARDED: Final = (
    "waits in a state of agents that are not guarded: read it with guard_agent(agent, guard)"
)


_NO_TOOL: Final = (
    'the call of "%s" waits on, because the agent "%s" has no such tool in the context of this '
    "state: read the state with the context that the run had, "
    "RunState.from_string(…, context_override=…)"
)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the calls that a run waits for, by their ids."""

    approved: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """Not answered yet, or asked for by the tool's author and not by a policy.

    Of calls that are alike, an approval lifts one, and the others wait for another. A call whose
    tool the agent does not have in the state's context waits too, and a warning is logged.
    """


@dataclass(frozen=True, slots=True)
class _Called:
    """A tool that waits to be called."""

    name: str
    """What policies call it."""
    read: Callable[[], dict[str, Any]]
    """Returns the arguments, or raises `RequestError`."""


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
    paused = state.get_interruptions()
    for item in paused:
        if not is_guarded_agent(item.agent, guard):
            gaps = [Gap(item.agent.name, item.tool_name or "a call", _UNGUARDED)]
            raise UnmediatedError(gaps, "nothing was approved")
    calls = [(item, await _called(item, state)) for item in paused]
    ended: dict[str, list[str]] = {"approved": [], "rejected": [], "waiting": []}
    used: set[str] = set()
    for item, called in calls:
        agent, call_id = item.agent, _call_id(item)
        mine = session_for(guard, agent.name) if who is None else who.as_agent(agent.name)
        if called is None:
            warn(mine.trace, _NO_TOOL, item.qualified_name, agent.name)
            ended["waiting"].append(call_id)
            continue
        decision = await _decided(guard, mine, called, call_id)
        if decision is None or decision.effect == "deny":
            text = "The arguments could not be read." if decision is None else decision.message
            state.reject(item, rejection_message=text)
            ended["rejected"].append(call_id)
        elif (
            decision.permitted
            and was_approved(decision)
            and lets_go(guard, mine, decision, call_id, used)
        ):
            state.approve(item)
            ended["approved"].append(call_id)
        else:
            ended["waiting"].append(call_id)
    note_paused(guard, session_for(guard, None) if who is None else who, state)
    return Applied(*(tuple(ended[name]) for name in ("approved", "rejected", "waiting")))


async def _decided(
    guard: Guard, session: GuardSession, called: _Called, call_id: str
) -> Decision | None:
    """Return the decision of now, asking people where nobody was asked by this store yet.

    None where the arguments cannot be read.
    """
    try:
        args = called.read()
    except RequestError:
        return None
    args = as_written(guard, session, called.name, args)
    request = about(session, "tool_call", tool=called.name, args=args, call_id=call_id)
    decision = (await ask(guard, session, request)).decision
    if decision.effect == "deny":
        # The SDK rejects the call by itself, so this is where its denial is recorded.
        with contextlib.suppress(Denied):
            guard.release(await enforce(guard, session, request))
    return decision


async def _called(item: ToolApprovalItem, state: RunState[Any, Any]) -> _Called | None:
    """Return what is called, as the call will be judged; None where the tool cannot be told."""
    agent, raw = item.agent, item.raw_item
    for tool in agent.tools:
        named = tool.name == item.tool_name
        if named and isinstance(tool, CustomTool):
            return _Called(tool.name, partial(dict, input=str(_get(raw, "input"))))
        if named and isinstance(tool, ShellTool):
            return _Called(tool.name, partial(shell_args, _get(raw, "action")))
        if named and isinstance(tool, ApplyPatchTool):
            return _Called(tool.name, partial(patch_args, _get(raw, "operation")))
    found = await _function_tool(agent, item, state)
    if found is None:
        return None
    text = str(_get(raw, "arguments") or "")
    return _Called(policy_name(found), partial(read_arguments, text, found.params_json_schema))


async def _function_tool(
    agent: Agent[Any], item: ToolApprovalItem, state: RunState[Any, Any]
) -> FunctionTool | None:
    """Return the tool that a run under this state would call."""
    names = (item.tool_name, item.tool_namespace)
    found = called_tools(agent.tools, *names)
    if not found:
        # A server, or the agent's class, shows tools as the application's context has it.
        context = context_of_state(state)
        listed = agent.get_all_tools(RunContextWrapper(None) if context is None else context)
        # Who lists tools begins a turn, which is none of the surrounding run's.
        found = called_tools(await asyncio.create_task(listed), *names)
    return found[0] if len(found) == 1 else None


def _call_id(item: ToolApprovalItem) -> str:
    return str(item.call_id or _get(item.raw_item, "id") or "")


def _get(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
