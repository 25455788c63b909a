"""The argument `module:agent`: where an application keeps its agents, and their tools."""

import asyncio
import sys
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, TypeAlias

import typer

from policy_engine.cli.ending import CannotRunError
from policy_engine.errors import PolicyEngineError
from policy_engine.tools import Tool

__all__ = ["AgentArgument", "adapter", "load_agent", "tools_of_graph"]

AgentArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="MODULE:AGENT",
        help="An agent, or a function that makes it, such as app.desk:triage.",
    ),
]
_SURVEY = "policy_engine.adapters.openai_agents.survey"


def adapter() -> ModuleType:
    """Return what knows the agents of the framework that is installed."""
    try:
        return import_module(_SURVEY)
    except PolicyEngineError as error:
        raise CannotRunError(str(error)) from None


def load_agent(place: str) -> Any:
    """Import an agent; modules are looked for in the working folder first."""
    module_name, _, attribute = place.partition(":")
    if not module_name or not attribute:
        raise CannotRunError(f'"{place}" is not of the form module:agent')
    sys.path.insert(0, "")
    try:
        found: Any = import_module(module_name)
    except ImportError as error:
        raise CannotRunError(f'the module "{module_name}" cannot be imported: {error}') from None
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise CannotRunError(f'the module "{module_name}" has no "{attribute}"')
        found = getattr(found, name)
    made = found
    if callable(found) and not hasattr(found, "tools"):
        try:
            made = found()
        except Exception as error:
            raise CannotRunError(f'"{place}" does not make an agent: {error}') from error
    if not hasattr(made, "tools") or not hasattr(made, "handoffs"):
        raise CannotRunError(f'"{place}" is a {type(made).__name__} and not an agent')
    return made


def tools_of_graph(found: Any) -> tuple[Tool, ...] | None:
    """Return the tools of an agent and of all that it hands off to; None for what is no agent.

    Raises:
        CannotRunError: An MCP server did not list its tools.
    """
    if not hasattr(found, "tools") or not hasattr(found, "handoffs"):
        return None
    try:
        survey = import_module(_SURVEY)
    except PolicyEngineError:
        return None  # of another framework, then
    if not isinstance(found, survey.Agent):
        return None
    tools, unlisted = asyncio.run(survey.tools_of(found))
    if unlisted:
        raise CannotRunError(f"these servers did not list their tools: {', '.join(unlisted)}")
    return tuple(tools)
