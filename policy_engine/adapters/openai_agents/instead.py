"""What a tool's author has the SDK tell in place of a result: judged as the result it stands for.

Theory of operation. The SDK asks a tool's `timeout_error_function` and its guardrails after, or in
place of, the tool's own function, so what they say reaches the model on a road of its own.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from agents import (
    FunctionTool,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    ToolOutputGuardrail,
)
from agents.tool_context import ToolContext

from policy_engine.adapters.openai_agents.arguments import read_arguments
from policy_engine.adapters.openai_agents.parts import decided_result
from policy_engine.adapters.openai_agents.said import note_result, note_said
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.errors import RequestError
from policy_engine.guard import Denied, Guard
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import snapshot

__all__ = ["judge_instead", "judges_instead"]

_Guardrail: TypeAlias = ToolInputGuardrail[Any] | ToolOutputGuardrail[Any]
_GUARDRAILS: Final = ("tool_input_guardrails", "tool_output_guardrails")


def judge_instead(tool: FunctionTool, guard: Guard, agent: str, name: str) -> None:
    """Have all that a tool's author says in place of its result judged; the tool is changed."""
    place = _Place(guard, agent, name)
    late: Any = tool.timeout_error_function
    if late is not None:
        if isinstance(late, _Late) and late.place.guard is guard:
            late = late.author
        late = _Late(place, tool, late)
    tool.timeout_error_function = late
    for field in _GUARDRAILS:
        own = getattr(tool, field)
        if own:
            setattr(tool, field, [_judged(place, tool, guardrail) for guardrail in own])


def judges_instead(tool: FunctionTool, guard: Guard, agent: str, name: str) -> bool:
    """Whether all of it is judged for this agent, under this name."""
    place = _Place(guard, agent, name)
    late = tool.timeout_error_function
    functions = [] if late is None else [late]
    for field in _GUARDRAILS:
        functions += [guardrail.guardrail_function for guardrail in getattr(tool, field) or ()]
    return all(isinstance(one, _Late | _Checked) and one.place == place for one in functions)


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """Whom to ask, for which agent and under which name."""

    guard: Guard
    agent: str
    name: str

    async def told(self, tool: FunctionTool, context: ToolContext[Any], value: Any) -> Any:
        """Return what stands for a result as the model may read it, or why it may not."""
        session = session_for(self.guard, self.agent, context)
        try:
            args = read_arguments(context.tool_arguments, tool.params_json_schema)
        except RequestError:
            args = {}
        try:
            form = snapshot(value)[0]
        except UnjudgeableError:
            # As the SDK will write it for the model: what is judged is what it is handed.
            form = value = str(value)
        call_id = context.tool_call_id
        call = about(session, "tool_call", tool=self.name, args=args, call_id=call_id)
        try:
            told = await decided_result(self.guard, session, call.returning(form))
        except Denied as denied:
            note_said(self.guard, session, denied.message)
            return denied.message
        if told == form:
            told = value
        note_result(self.guard, session, told)
        return told


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Late:
    """`timeout_error_function`: what a tool's author says of a call that took too long."""

    place: _Place
    tool: FunctionTool
    author: Callable[..., Any]

    async def __call__(self, context: ToolContext[Any], error: Exception) -> Any:
        """Return it as the model may read it."""
        said = self.author(context, error)
        said = await said if inspect.isawaitable(said) else said
        return await self.place.told(self.tool, context, said)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Checked:
    """The function of a guardrail: what it rejects with is what the model reads."""

    place: _Place
    tool: FunctionTool
    author: _Guardrail

    async def __call__(self, data: Any) -> ToolGuardrailFunctionOutput:
        """Return what the guardrail says, its message as the model may read it."""
        found = await self.author.run(data)
        if found.behavior["type"] != "reject_content":
            return found
        told = await self.place.told(self.tool, data.context, found.behavior["message"])
        return dataclasses.replace(found, behavior={"type": "reject_content", "message": told})


def _judged(place: _Place, tool: FunctionTool, guardrail: _Guardrail) -> _Guardrail:
    function = guardrail.guardrail_function
    if isinstance(function, _Checked) and function.place.guard is place.guard:
        guardrail = function.author
    function = guardrail.guardrail_function
    name = guardrail.name or getattr(function, "__name__", type(function).__name__)
    kind = ToolInputGuardrail if isinstance(guardrail, ToolInputGuardrail) else ToolOutputGuardrail
    return kind(guardrail_function=_Checked(place, tool, guardrail), name=name)
