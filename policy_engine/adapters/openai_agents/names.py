"""What policies call tools, and names that a reader takes for one another."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from agents import FunctionTool, HostedMCPTool, Tool

from policy_engine.adapters.openai_agents.function_tools import policy_name, served_name

__all__ = ["Names", "called_tools", "served_names", "tool_name"]

Owner: TypeAlias = tuple[int, str]


def tool_name(tool: Tool) -> str:
    """Return what policies call a tool; of a hosted server, what its tools begin with."""
    if isinstance(tool, FunctionTool):
        return policy_name(tool)
    if isinstance(tool, HostedMCPTool):
        config: object = tool.tool_config
        label = config.get("server_label") if isinstance(config, dict) else None
        return f"{label or 'mcp'}/*"
    return str(getattr(tool, "name", type(tool).__name__))


def served_names(tools: Iterable[FunctionTool]) -> Iterator[str]:
    """Go through what policies call the tools of servers, and what those of a server begin with."""
    for tool in tools:
        yield policy_name(tool)
        yield f"{served_name(tool)[0]}/*"


def called_tools(
    tools: Iterable[Tool], name: str | None, namespace: str | None
) -> list[FunctionTool]:
    """Return the function tools that a call may be for: one, unless two are called the same.

    Args:
        tools: What the agent has.
        name: The name in the call, without its namespace.
        namespace: As the call says it; a tool that is loaded later and has none is called with its
            own name there.
    """
    is_loaded = bool(name) and namespace == name
    wanted = name if is_loaded or not namespace else f"{namespace}.{name}"
    functions = (tool for tool in tools if isinstance(tool, FunctionTool))
    found = [tool for tool in functions if tool.qualified_name == wanted]
    same = [tool for tool in found if _is_loaded_later(tool) is is_loaded]
    return same or found


def _is_loaded_later(tool: FunctionTool) -> bool:
    return tool.defer_loading and tool.qualified_name == tool.name


class Names:
    """The names of the tools in a graph of agents, as policies say them."""

    def __init__(self) -> None:
        self._told: dict[Owner, tuple[str, ...]] = {}
        self._forms: dict[Owner, dict[str, str]] = {}

    def twins(self, owner: Owner, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Note which names an owner has now; go through those that look like another.

        Args:
            owner: An agent, and which of its tools they are.
            names: All of them.

        Returns:
            A name, and the one that it differs from only by case or by its Unicode form.
        """
        told = tuple(names)
        if self._told.get(owner) == told:
            return
        forms = self._forms[owner] = {}
        has_twins = False
        for name in told:
            form = _form(name)
            forms.setdefault(form, name)
            for known in self._forms.values():
                if known.get(form, name) != name:
                    has_twins = True
                    yield name, known[form]
                    break
        if not has_twins:
            self._told[owner] = told


def _form(name: str) -> str:
    """Return what is left of a name without case, Unicode form and what cannot be seen."""
    seen = "".join(each for each in name if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
