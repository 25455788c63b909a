"""The tools that there are: from a JSON file, or from the objects of a Python module."""

import inspect
import json
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from policy_engine.tools import Tool, read_tools

__all__ = ["RegistryError", "tools_from", "tools_in"]

_SCHEMAS: Final = (
    "params_json_schema",
    "inputSchema",
    "input_schema",
    "tool_call_schema",
    "args_schema",
    "parameters",
)
"""Attributes in which the tools of SDKs keep the schema of their arguments."""
_HOLDERS: Final = ("tools", "_tools", "function_tools")
"""Attributes in which agents and servers keep their tools."""
_JSON: Final[Mapping[Any, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    tuple: "array",
    dict: "object",
    type(None): "null",
}
_DEPTH: Final = 6


class RegistryError(Exception):
    """The tools cannot be read; the text is for the user."""


def tools_from(source: str) -> tuple[Tool, ...]:
    """Read tools.

    Args:
        source: A JSON file as SDKs and MCP servers print it, or `module:object` where the object
            is a function, a tool of an SDK, an agent, or a list or mapping of them.

    Raises:
        RegistryError: There is no such file or object, or it lists no tools.
    """
    module, colon, name = source.partition(":")
    if colon and name.replace(".", "").isidentifier() and not os.path.exists(source):  # noqa: PTH110
        return _from_module(source, module, name)
    try:
        with open(source, "rb") as stream:  # noqa: PTH123 - a name that the user gave
            value = json.loads(stream.read())
        return read_tools(value, source)
    except OSError as error:
        raise RegistryError(f"{source}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{source} does not list tools: {error}") from None


def _from_module(source: str, module: str, name: str) -> tuple[Tool, ...]:
    if "" not in sys.path and os.getcwd() not in sys.path:  # noqa: PTH109 - as `python -m` does
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        value: Any = import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
        tools = tuple(tools_in(value, source))
    except Exception as error:  # noqa: BLE001 - the user's module may do anything
        raise RegistryError(f"{source}: {type(error).__name__}: {error}") from None
    if not tools:
        raise RegistryError(f"{source} lists no tool")
    return tools


def tools_in(value: Any, origin: str = "", depth: int = 0) -> Iterator[Tool]:
    """Go through the tools of an object: a function, a tool, an agent, or a list of them."""
    if depth > _DEPTH:
        return
    if isinstance(value, Tool):
        yield value
    elif isinstance(value, Mapping):
        yield from _mapped(value, origin, depth)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from tools_in(item, origin, depth + 1)
    elif (schema := _schema_of(value)) is not None and isinstance(_name_of(value), str):
        described = getattr(value, "description", None)
        text = described if isinstance(described, str) else ""
        yield Tool(_name_of(value), schema, origin, text)
    elif callable(value) and not isinstance(value, type) and hasattr(value, "__name__"):
        yield _of_function(value, origin)
    else:
        for holder in _HOLDERS:
            held = getattr(value, holder, None)
            if isinstance(held, list | tuple | Mapping) and held:
                yield from tools_in(held, origin, depth + 1)
                return


def _mapped(value: Mapping[Any, Any], origin: str, depth: int) -> Iterator[Tool]:
    if all(
        isinstance(inner, Mapping | list | str | int | float | bool) for inner in value.values()
    ):
        yield from read_tools(value, origin)
        return
    for inner in value.values():
        yield from tools_in(inner, origin, depth + 1)


def _name_of(value: Any) -> Any:
    return getattr(value, "name", None)


def _schema_of(value: Any) -> Mapping[str, Any] | None:
    for attribute in _SCHEMAS:
        found = getattr(value, attribute, None)
        if isinstance(found, Mapping):
            return found
        make = getattr(found, "model_json_schema", None)
        if callable(make):
            made = make()
            return made if isinstance(made, Mapping) else None
    inner = getattr(getattr(value, "function_schema", None), "json_schema", None)
    return inner if isinstance(inner, Mapping) else None


def _of_function(function: Callable[..., Any], origin: str) -> Tool:
    """Return a function as a tool: its parameters are the arguments."""
    try:
        hints = get_type_hints(function)
        parameters = inspect.signature(function).parameters.values()
    except Exception:  # noqa: BLE001 - annotations may name what is not there
        return Tool(function.__name__, origin=origin, typed=False)
    properties: dict[str, Any] = {}
    required: list[str] = []
    is_open = False
    for parameter in parameters:
        if parameter.name in {"self", "cls"} or parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            is_open = True
            continue
        properties[parameter.name] = _json_schema(hints.get(parameter.name), 0)
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    schema["additionalProperties"] = is_open
    described = inspect.getdoc(function) or ""
    return Tool(function.__name__, schema, origin, described)


def _json_schema(hint: Any, depth: int) -> dict[str, Any]:
    """Return what an annotation says, as far as it is plain."""
    origin = get_origin(hint)
    if origin is Literal:
        return {"enum": list(get_args(hint))}
    if origin in {Union, types.UnionType}:
        kinds = [_json_schema(part, depth + 1).get("type") for part in get_args(hint)]
        named = [kind for kind in kinds if isinstance(kind, str)]
        return {"type": named} if len(named) == len(kinds) else {}
    kind = _JSON.get(origin or hint)
    if kind is None:
        return {}
    schema: dict[str, Any] = {"type": kind}
    inner = get_args(hint)
    if kind == "array" and len(inner) == 1 and depth < _DEPTH:
        schema["items"] = _json_schema(inner[0], depth + 1)
    return schema
