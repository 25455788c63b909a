"""Agents as tools: made again for the guarded agent, because a tool keeps the agent it was made of.

Theory of operation. `Agent.as_tool` turns every failure of the nested run into one sentence and
says nothing when the nested run pauses. A guarded agent makes its tools with a failure function
that lets denials through as messages, and with an output extractor, which the SDK calls for a
run that ended and not for one that paused.
"""

import contextvars
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final

from agents import (
    FunctionTool,
    InputGuardrailTripwireTriggered,
    ItemHelpers,
    OutputGuardrailTripwireTriggered,
    RunResult,
    RunResultStreaming,
    default_tool_error_function,
)
from agents.items import MessageOutputItem, ToolCallOutputItem
from agents.tool import ToolOriginType, get_function_tool_origin

from policy_engine.adapters.openai_agents.errors import ManagedError
from policy_engine.adapters.openai_agents.told import note_told
from policy_engine.adapters.openai_agents.unpublished import (
    failure_function,
    options_of_tool,
    uses_default_failure,
)
from policy_engine.guard import Denied

__all__ = ["PAUSED", "denial_in", "extractor", "failure", "is_agent_tool", "rebuilt"]

Extractor = Callable[[Any], Awaitable[Any]]
_DEEPEST: Final = 20

PAUSED: Final[contextvars.ContextVar[bool]] = contextvars.ContextVar(
    "policy_engine_openai_agents_paused", default=False
)
"""Whether the agent behind a tool has not ended its run yet."""

_COPIED: Final = (
    "is_enabled",
    "tool_input_guardrails",
    "tool_output_guardrails",
    "needs_approval",
    "timeout_seconds",
    "timeout_behavior",
    "timeout_error_function",
    "defer_loading",
    "custom_data_extractor",
    "allowed_callers",
)
"""Fields that may have been set on the tool after it was made."""


def is_agent_tool(tool: FunctionTool) -> bool:
    """Whether an agent runs behind a tool."""
    origin = get_function_tool_origin(tool)
    return origin is not None and origin.type is ToolOriginType.AGENT_AS_TOOL


def rebuilt(tool: FunctionTool, make: Callable[..., FunctionTool]) -> FunctionTool | None:
    """Make a tool again for the guarded agent; None where what it was made with cannot be told.

    Args:
        tool: As its author made it.
        make: Makes the tool of what `Agent.as_tool` is given.
    """
    options = options_of_tool(tool)
    if options is None:
        return None
    made = make(
        tool_name=tool.name,
        tool_description=tool.description,
        failure_error_function=default_tool_error_function
        if uses_default_failure(tool)
        else failure_function(tool),
        **options,
    )
    if made.params_json_schema != tool.params_json_schema:
        return None
    for name in _COPIED:
        setattr(made, name, getattr(tool, name))
    return made


def failure(otherwise: Callable[..., Any] | None) -> Callable[..., Any]:
    """Return a failure function that says what the policies say, and else what another does."""

    async def failed(context: Any, error: Exception) -> Any:
        PAUSED.set(False)
        if isinstance(error, ManagedError):
            raise error
        denied = denial_in(error)
        if denied is not None:
            note_told(context)
            return denied
        if otherwise is None:
            return None
        said = otherwise(context, error)
        return await said if inspect.isawaitable(said) else said

    return failed


def extractor(otherwise: Extractor | None) -> Extractor:
    """Return an output extractor that notes that the nested run has ended."""

    async def extract(result: RunResult | RunResultStreaming) -> Any:
        PAUSED.set(False)
        return _output(result) if otherwise is None else await otherwise(result)

    return extract


def denial_in(error: BaseException | None) -> str | None:
    """Return what the model is told where a denial is behind an error."""
    for _ in range(_DEEPEST):
        if error is None:
            return None
        if isinstance(error, Denied):
            return error.message
        if isinstance(error, InputGuardrailTripwireTriggered | OutputGuardrailTripwireTriggered):
            told = error.guardrail_result.output.output_info
            if isinstance(told, dict) and isinstance(told.get("message"), str):
                return str(told["message"])
        error = error.__cause__ or error.__context__
    return None


def _output(result: RunResult | RunResultStreaming) -> Any:
    """Return what a nested run says, as `as_tool` without an extractor would."""
    final = result.final_output
    if final not in (None, "") or result.output_guardrail_results:
        return final
    for item in reversed(result.new_items):
        if isinstance(item, MessageOutputItem):
            text = ItemHelpers.text_message_output(item)
            if text:
                return text
        if isinstance(item, ToolCallOutputItem) and isinstance(item.output, str) and item.output:
            return item.output
    return final
