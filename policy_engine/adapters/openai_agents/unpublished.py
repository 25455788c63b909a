"""What the SDK knows and has no public road to: read here alone, and never relied on.

Where an attribute is gone, these functions say None, and the attachment refuses what it would
otherwise have resolved, with the instruction how to say it by hand.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from agents import Agent, FunctionTool, Handoff, RunContextWrapper, RunState

__all__ = [
    "agent_of_tool",
    "context_of_state",
    "failure_function",
    "knows_mcp_names",
    "mcp_name",
    "options_of_tool",
    "target_of_handoff",
    "uses_default_failure",
]

_TOLD: Final = frozenset(
    {
        "self",
        "tool_name",
        "tool_description",
        "is_enabled",
        "needs_approval",
        "failure_error_function",
        "parameters",
        "input_builder",
        "include_input_schema",
    }
)
"""Arguments of `Agent.as_tool` that the tool itself tells, or that are read apart."""


def target_of_handoff(handoff: Handoff[Any, Any]) -> Agent[Any] | None:
    """Return the agent that a handoff was made for."""
    reference = getattr(handoff, "_agent_ref", None)
    found = reference() if callable(reference) else getattr(handoff, "agent", None)
    return found if isinstance(found, Agent) else None


def agent_of_tool(tool: FunctionTool) -> Agent[Any] | None:
    """Return the agent that runs behind a tool."""
    found = getattr(tool, "_agent_instance", None)
    return found if isinstance(found, Agent) else None


def context_of_state(state: RunState[Any, Any]) -> RunContextWrapper[Any] | None:
    """Return the context of a paused run, as the run was given it."""
    found = getattr(state, "_context", None)
    return found if isinstance(found, RunContextWrapper) else None


def options_of_tool(tool: FunctionTool) -> Mapping[str, Any] | None:
    """Return what a tool of an agent was made with; None where that cannot be told."""
    made = getattr(tool.on_invoke_tool, "_invoke_tool_impl", None)
    if not inspect.isfunction(made):
        return None
    known = inspect.getclosurevars(made).nonlocals
    wanted = [name for name in inspect.signature(Agent.as_tool).parameters if name not in _TOLD]
    found = {name: known[name] for name in wanted if name in known}
    captures = known.get("should_capture_tool_input")
    if len(found) != len(wanted) or not isinstance(captures, bool):
        return None
    if not captures:
        return found
    asked = _structured(known)
    return None if asked is None else {**found, **asked}


def _structured(known: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how the input of an agent behind a tool is built of its arguments."""
    parameters = getattr(known.get("params_adapter"), "_type", None)
    info = known.get("schema_info")
    if not isinstance(parameters, type) or "input_builder" not in known or info is None:
        return None
    return {
        "parameters": parameters,
        "input_builder": known["input_builder"],
        "include_input_schema": getattr(info, "json_schema", None) is not None,
    }


def failure_function(tool: FunctionTool) -> Callable[..., Any] | None:
    """Return what turns a tool's failures into text."""
    found: Callable[..., Any] | None = getattr(tool, "_failure_error_function", None)
    return found


def uses_default_failure(tool: FunctionTool) -> bool:
    """Whether failures become the SDK's own text."""
    return bool(getattr(tool, "_use_default_failure_error_function", True))


def knows_mcp_names() -> bool:
    """Whether the name that an MCP server gives a tool is known where the SDK shows another."""
    return "_mcp_tool_binding" in FunctionTool.__dataclass_fields__


def mcp_name(tool: FunctionTool) -> tuple[str, str] | None:
    """Return server and tool name of a tool of a local MCP server."""
    binding = getattr(tool, "_mcp_tool_binding", None)
    if not isinstance(binding, tuple) or len(binding) < 2:
        return None
    server, name = binding[0], binding[1]
    return (server, name) if isinstance(server, str) and isinstance(name, str) else None
