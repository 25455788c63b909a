"""A tool's name, the JSON Schema of its arguments, and where it comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["Tool", "read_tools"]

_SCHEMA_KEYS: Final = ("inputSchema", "input_schema", "parameters", "args_schema", "schema")
"""What SDKs and protocols call the schema of a tool's arguments."""
_WRAPPERS: Final = ("function", "toolSpec", "tool_spec")
"""Keys under which a tool's own mapping stands."""
_LISTS: Final = ("tools", "functions", "functionDeclarations", "function_declarations", "result")
"""Keys under which more tools are listed."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What is known of a tool before it is called."""

    name: str
    """As policies name it: a tool of an MCP server is `server/name`."""
    schema: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The JSON Schema of its arguments, an object."""
    origin: str = ""
    """Where it was found: a file, a module, a server."""
    description: str = ""
    typed: bool = True
    """Whether the schema was given; without one any arguments may be taken."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """Argument -> its JSON Schema."""
        found = self.schema.get("properties")
        return found if isinstance(found, Mapping) else {}

    @property
    def required(self) -> frozenset[str]:
        """The arguments that a call must give."""
        found = self.schema.get("required")
        return frozenset(map(str, found)) if isinstance(found, list | tuple) else frozenset()

    @property
    def is_open(self) -> bool:
        """Whether it takes arguments that the schema does not name."""
        return not self.typed or self.schema.get("additionalProperties") is not False


def read_tools(value: object, origin: str = "") -> tuple[Tool, ...]:
    """Read a list of tools as SDKs and MCP servers print it.

    Taken are the forms of MCP (`tools/list`), OpenAI (chat and responses), Anthropic, Gemini and
    Bedrock, a list of any of them, and a mapping from an MCP server's name to its tools.

    Args:
        value: What the JSON says.
        origin: Where it was found, for messages.

    Raises:
        ValueError: It is none of these; the text says where.
    """
    tools = tuple(_tools(value, origin, "", "the tools"))
    if not tools:
        raise ValueError("it lists no tool")
    return tools


def _tools(value: object, origin: str, prefix: str, place: str) -> Iterator[Tool]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _tools(item, origin, prefix, f"{place}[{index}]")
    elif isinstance(value, str):
        yield Tool(prefix + value, origin=origin, typed=False)
    elif isinstance(value, Mapping):
        yield from _mapped(value, origin, prefix, place)
    else:
        raise ValueError(f"{place} is not a tool")  # noqa: TRY004 - its value is wrong


def _mapped(value: Mapping[str, Any], origin: str, prefix: str, place: str) -> Iterator[Tool]:
    listed = [key for key in _LISTS if isinstance(value.get(key), list | Mapping)]
    if listed and not isinstance(value.get("name"), str):
        for key in listed:
            yield from _tools(value[key], origin, prefix, f"{place}.{key}")
        return
    for key in _WRAPPERS:
        if isinstance(value.get(key), Mapping):
            yield _tool(value[key], origin, prefix, f"{place}.{key}")
            return
    if isinstance(value.get("name"), str) or "type" in value:
        yield _tool(value, origin, prefix, place)
        return
    for server, tools in value.items():
        if not isinstance(tools, list | Mapping):
            raise ValueError(f"{place}.{server} is not a list of tools")  # noqa: TRY004
        yield from _tools(tools, origin, f"{prefix}{server}/", f"{place}.{server}")


def _tool(value: Mapping[str, Any], origin: str, prefix: str, place: str) -> Tool:
    name = value.get("name", value.get("type"))
    if not isinstance(name, str) or not name:
        raise ValueError(f"{place} has no name")
    schema = next((value[key] for key in _SCHEMA_KEYS if key in value), None)
    if isinstance(schema, Mapping) and isinstance(schema.get("json"), Mapping):
        schema = schema["json"]
    if schema is not None and not isinstance(schema, Mapping):
        raise ValueError(f"the schema of {place} is not a mapping")
    described = value.get("description")
    return Tool(
        prefix + name,
        {} if schema is None else schema,
        origin,
        described if isinstance(described, str) else "",
        typed=schema is not None,
    )
