"""The argument `module:agent`: where an application keeps its agents, and their tools."""

import inspect
import sys
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, TypeAlias

import typer

from policy_engine.cli.ending import CannotRunError
from policy_engine.errors import PolicyEngineError
from policy_engine.tools import Tool

__all__ = ["AgentsArgument", "adapter", "find_agent", "made_agents", "tools_of_graph"]

AgentsArgument: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="MODULE:AGENT",
        help="Agents, lists of them, or functions that make them, such as app.desk:triage.",
    ),
]
_SURVEY = "policy_engine.adapters.openai_agents.survey"


def adapter() -> ModuleType:
    """Return what knows the agents of the framework that is installed."""
    try:
        return import_module(_SURVEY)
    except PolicyEngineError as error:
        raise CannotRunError(str(error)) from None


async def made_agents(places: Iterable[tuple[str, Any]]) -> list[Any]:
    """Return the agents that were found in places, waiting for those that are made async.

    Raises:
        CannotRunError: What stands there is no agent and makes none.
    """
    agents: list[Any] = []
    for place, found in places:
        made = found
        if inspect.isawaitable(found):
            try:
                made = await found
            except Exception as error:
                raise CannotRunError(_not_made(place, error)) from error
        several = made if isinstance(made, list | tuple) and made else [made]
        for one in several:
            if not _is_agent(one):
                kind = type(one).__name__
                raise CannotRunError(f'"{place}" is a {kind} and not an agent')
        agents.extend(several)
    return agents


def find_agent(place: str) -> Any:
    """Import what stands in a place, and call it where it makes agents.

    Modules are looked for in the working folder first.

    Returns:
        An agent, a list of them, or what has to be awaited for one.

    Raises:
        CannotRunError: There is no such place, or what it needs fails.
    """
    module_name, _, attribute = place.partition(":")
    if not module_name:
        raise CannotRunError(f'"{place}" is not of the form module:agent')
    found: Any = _imported(module_name)
    if not attribute:
        raise CannotRunError(f'"{place}" is not of the form module:agent{_agents_in(found)}')
    module = found
    for name in attribute.split("."):
        if not hasattr(found, name):
            hint = _agents_in(module)
            raise CannotRunError(f'the module "{module_name}" has no "{attribute}"{hint}')
        found = getattr(found, name)
    if not callable(found) or _is_agent(found):
        return found
    try:
        return found()
    except Exception as error:
        raise CannotRunError(_not_made(place, error)) from error


def _imported(name: str) -> Any:
    sys.path.insert(0, "")
    try:
        return import_module(name)
    except SyntaxError as error:
        where = f"{error.filename}:{error.lineno}"
        text = f'the module "{name}" cannot be imported: {where}: {error.msg}'
        raise CannotRunError(text) from None
    except ImportError as error:
        raise CannotRunError(f'the module "{name}" cannot be imported: {error}') from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's module may do anything
        text = f"{type(error).__name__}: {error}"
        raise CannotRunError(f'the module "{name}" cannot be imported: {text}') from None


def _not_made(place: str, error: Exception) -> str:
    return f'"{place}" does not make an agent: {type(error).__name__}: {error}'


def _agents_in(module: object) -> str:
    """Return as a hint which agents a module has."""
    name = getattr(module, "__name__", "")
    agents = [f"{name}:{key}" for key, value in vars(module).items() if _is_agent(value)]
    return f"; there is {', '.join(agents)}" if agents else ""


def _is_agent(value: object) -> bool:
    is_class = isinstance(value, type)
    return not is_class and hasattr(value, "tools") and hasattr(value, "handoffs")


def tools_of_graph(found: Any) -> tuple[Tool, ...] | None:
    """Return the tools of an agent and of all that it hands off to; None for what is no agent.

    Raises:
        CannotRunError: An MCP server did not list its tools.
    """
    if not _is_agent(found):
        return None
    try:
        survey = import_module(_SURVEY)
    except PolicyEngineError:
        return None  # of another framework, then
    if not isinstance(found, survey.Agent):
        return None
    # Slow to import, and lint without agents does not need it.
    tools, unlisted = import_module("asyncio").run(survey.tools_of([found]))
    if unlisted:
        raise CannotRunError("; ".join(map(str, unlisted)))
    return tuple(tools)
