"""The argument `module:agent`: where an application keeps its agents."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, TypeAlias

import typer

from policy_engine.cli.ending import CannotRunError
from policy_engine.errors import PolicyEngineError

__all__ = ["AgentArgument", "adapter", "load_agent"]

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
