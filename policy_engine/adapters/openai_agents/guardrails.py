"""Guardrail objects of the SDK that ask the policies: made by `run_config`, or placed by hand.

What they refuse they raise themselves, as an exception that is both `Denied`, with the message
and the decision, and the one by which the SDK tells of a tripwire. So an application catches
`Denied` whatever was refused, and code that is written for the SDK's own goes on working.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailResult,
    InputGuardrailTripwireTriggered,
    OutputGuardrail,
    OutputGuardrailResult,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    RunContextWrapper,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    ToolInputGuardrailData,
    ToolOutputGuardrail,
    ToolOutputGuardrailData,
)
from agents.tool_context import ToolContext

from policy_engine.adapters.openai_agents.arguments import read_arguments
from policy_engine.adapters.openai_agents.incoming import judged_input, new_items
from policy_engine.adapters.openai_agents.judge import enforce
from policy_engine.adapters.openai_agents.parts import decided_result
from policy_engine.adapters.openai_agents.reread import refuse_packed
from policy_engine.adapters.openai_agents.scope import about, session_for
from policy_engine.decision import Decision, Request
from policy_engine.errors import RequestError
from policy_engine.guard import Denied, Guard, GuardSession
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import snapshot

__all__ = [
    "NAME",
    "InputDenied",
    "OutputDenied",
    "ended",
    "input_guardrail",
    "judged_end",
    "output_guardrail",
    "tool_guardrails",
    "tripped",
]

NAME: Final = "policy-engine"
_MOST_CALLS: Final = 1_000
_NOT_REDACTED: Final = "Parts of this would have to be redacted, which cannot be done here."


class InputDenied(Denied, InputGuardrailTripwireTriggered):
    """An input that is not permitted: `Denied`, and what the SDK raises where a guardrail trips."""

    def __init__(self, decision: Decision, guardrail: InputGuardrail[Any]) -> None:
        # Not `super`: each of the two takes something else.
        result = InputGuardrailResult(guardrail=guardrail, output=_tripped(decision))
        InputGuardrailTripwireTriggered.__init__(self, result)
        self.args = (decision,)
        self.decision = decision
        self._notes = None


class OutputDenied(Denied, OutputGuardrailTripwireTriggered):
    """An output that is not permitted, likewise."""

    def __init__(
        self, decision: Decision, guardrail: OutputGuardrail[Any], agent: Agent[Any], output: Any
    ) -> None:
        result = OutputGuardrailResult(
            guardrail=guardrail, agent_output=output, agent=agent, output=_tripped(decision)
        )
        OutputGuardrailTripwireTriggered.__init__(self, result)
        self.args = (decision,)
        self.decision = decision
        self._notes = None


def input_guardrail(guard: Guard, *, config: RunConfig | None = None) -> InputGuardrail[Any]:
    """Return an input guardrail that blocks: no model and no tool is called before it.

    It judges what is new in the input, and cannot redact; a guarded agent's model does.

    Args:
        guard: Whom to ask.
        config: Whose guardrail it is, where `run_config` made it.
    """

    async def judge(
        context: RunContextWrapper[Any], agent: Agent[Any], items: Any
    ) -> GuardrailFunctionOutput:
        session = session_for(guard, agent.name, config or context)
        try:
            await judged_input(guard, session, new_items(items))
        except Denied as denied:
            raise InputDenied(denied.decision, made) from denied
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    made = InputGuardrail(guardrail_function=judge, name=NAME, run_in_parallel=False)
    return made


def output_guardrail(guard: Guard, *, config: RunConfig | None = None) -> OutputGuardrail[Any]:
    """Return an output guardrail; what would have to be redacted there is refused.

    Args:
        guard: Whom to ask.
        config: Whose guardrail it is, where `run_config` made it.
    """

    async def judge(
        context: RunContextWrapper[Any], agent: Agent[Any], output: Any
    ) -> GuardrailFunctionOutput:
        session = session_for(guard, agent.name, config or context)
        try:
            await _judged_output(guard, session, output)
        except Denied as denied:
            raise OutputDenied(denied.decision, made, agent, output) from denied
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    made = OutputGuardrail(guardrail_function=judge, name=NAME)
    return made


async def judged_end(agent: Any, context: Any, output: Any) -> None:
    """Judge what a guarded agent ends with, as its output guardrail would.

    Raises:
        OutputDenied: It may not be said, or not as it stands.
    """
    guard: Guard = agent.policy_guard
    try:
        await _judged_output(guard, session_for(guard, agent.name, context), output)
    except Denied as denied:
        raise ended(guard, agent, output, denied) from denied


async def _judged_output(guard: Guard, session: GuardSession, output: Any) -> None:
    try:
        text = snapshot(output)[0]
    except UnjudgeableError:
        text = str(output)
    decision = await enforce(guard, session, about(session, "output", text=text))
    if decision.effect == "redact":
        raise Denied(decision.denied("redaction.cannot_tell", _NOT_REDACTED))


def tool_guardrails(guard: Guard) -> tuple[ToolInputGuardrail[Any], ToolOutputGuardrail[Any]]:
    """Return guardrails for one tool, for who does not guard the agent as a whole.

    They can refuse and cannot redact arguments, ask people or hide a tool: `guard_agent` can.
    """
    pair = _ToolGuardrails(guard)
    return (
        ToolInputGuardrail(guardrail_function=pair.before, name=NAME),
        ToolOutputGuardrail(guardrail_function=pair.after, name=NAME),
    )


class _ToolGuardrails:
    """What goes before a call of a tool, and what comes after it."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._begun: OrderedDict[tuple[int, str], Decision] = OrderedDict()

    async def before(self, data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
        """Judge a call."""
        context = data.context
        session = session_for(self._guard, data.agent.name, context)
        try:
            request = _call(session, context)
        except RequestError as error:
            return ToolGuardrailFunctionOutput.reject_content(f"{error}")
        try:
            await refuse_packed(self._guard, session, request)
            decision = await enforce(self._guard, session, request)
        except Denied as denied:
            return _refused(denied)
        if decision.effect == "redact":
            text = "Parts of the arguments may not be sent to this tool."
            return ToolGuardrailFunctionOutput.reject_content(text)
        self._begun[id(context.usage), context.tool_call_id] = decision
        if len(self._begun) > _MOST_CALLS:
            self._begun.popitem(last=False)
        return ToolGuardrailFunctionOutput.allow()

    async def after(self, data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
        """Judge what a call returned."""
        context = data.context
        session = session_for(self._guard, data.agent.name, context)
        permitted = self._begun.pop((id(context.usage), context.tool_call_id), None)
        if permitted is not None:
            self._guard.returned(permitted)
        try:
            result = snapshot(data.output)[0]
        except UnjudgeableError:
            result = str(data.output)
        request = _call(session, context).returning(result)
        try:
            handed = await decided_result(self._guard, session, request)
        except Denied as denied:
            return _refused(denied)
        if handed != result:
            return ToolGuardrailFunctionOutput.reject_content(str(handed))
        return ToolGuardrailFunctionOutput.allow()


def _call(session: GuardSession, context: ToolContext[Any]) -> Request:
    args = read_arguments(context.tool_arguments, {})
    name, call_id = context.qualified_tool_name, context.tool_call_id
    return about(session, "tool_call", tool=name, args=args, call_id=call_id)


def _refused(denied: Denied) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.reject_content(denied.message, _told(denied.decision))


def tripped(guard: Guard, denied: Denied) -> InputDenied:
    """Return what is raised where an input guardrail trips."""
    return InputDenied(denied.decision, input_guardrail(guard))


def ended(guard: Guard, agent: Agent[Any], output: Any, denied: Denied) -> OutputDenied:
    """Return what is raised where an output guardrail trips."""
    made = OutputDenied(denied.decision, output_guardrail(guard), agent, output)
    for note in denied.__notes__:
        if note not in made.__notes__:
            made.add_note(note)
    return made


def _tripped(decision: Decision) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=_told(decision), tripwire_triggered=True)


def _told(decision: Decision) -> dict[str, Any]:
    """Return what an application is told: names of the policy, and none of the request's values."""
    return {
        "message": decision.message,
        "effect": decision.effect,
        "rules": [reason.rule for reason in decision.reasons],
        "codes": [reason.code for reason in decision.reasons],
    }
