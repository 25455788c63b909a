"""The tools that an entry is about, as the registry has them."""

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.subject import Entry, Subject
from policy_engine.tools import Tool

__all__ = ["tools_for"]


def tools_for(subject: Subject, entry: Entry) -> list[Tool]:
    """Return the tools that an entry matches, in plain words; none where they are not known."""
    tools = subject.plain_tools
    if entry.name in tools:
        return [tools[entry.name]]
    return [tool for name, tool in tools.items() if matches_glob(entry.name, name)]
