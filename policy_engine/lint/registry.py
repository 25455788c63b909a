"""The tools that there are: from a JSON file, or from the objects of a Python module."""

import functools
import inspect
import json
import os
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from policy_engine.lint.tool_schema import broken_references
from policy_engine.tools import Tool, read_tools

__all__ = ["Listing", "RegistryError", "server_and_source", "tools_from", "tools_in"]

Listing: TypeAlias = Callable[[Any], Iterable[Tool] | None]
"""Lists the tools of an object that only an adapter knows; None for any other."""

_SERVER: Final = re.compile(r"([A-Za-z0-9_. -]+)=(.+)", re.DOTALL)

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

_GUARD: Final = ("policy_engine.guard.guarded", "policy_engine.guard.call")


class RegistryError(Exception):
    """The tools cannot be read; the text is for the user."""


def tools_from(source: str, listing: Listing | None = None) -> tuple[Tool, ...]:
    """Read tools.

    Args:
        source: A JSON file as SDKs and MCP servers print it, or `module:object` where the object
            is a function, guarded or not, a tool of an SDK, an agent, an object with guarded
            methods, a module, or a list or mapping of them. `server=` before it says of which
            MCP server the tools are.
        listing: Is asked first about an object of a module, or each of a list.

    Raises:
        RegistryError: There is no such file or object, it lists no tools, or a schema has a
            reference that leads nowhere.
    """
    server, place = server_and_source(source)
    tools = _read(place, listing)
    if server:
        tools = tuple(_of_server(server, tool, place) for tool in tools)
    for tool in tools:
        for pointer, reference in broken_references(tool.schema):
            raise RegistryError(
                f'{source}: the schema of "{tool.name}" is broken: '
                f'"{reference}" at {pointer} leads nowhere within it'
            )
    return tools


def server_and_source(source: str) -> tuple[str, str]:
    """Part `server=source`; the server is empty where none is named."""
    match = None if os.path.exists(source) else _SERVER.fullmatch(source)  # noqa: PTH110
    return ("", source) if match is None else (match[1], match[2])


def _of_server(server: str, tool: Tool, source: str) -> Tool:
    """Return a tool by the name that policies know it by; an application may name a server anew."""
    if tool.name.startswith(f"{server}/"):
        return tool
    name = tool.name.removeprefix(f"{tool.origin}/")
    if "/" in name:
        raise RegistryError(
            f'{source}: "{tool.name}" names its MCP server already: leave out "{server}="'
        )
    return replace(tool, name=f"{server}/{name}")


def _read(source: str, listing: Listing | None) -> tuple[Tool, ...]:
    module, colon, name = source.partition(":")
    if colon and name.replace(".", "").isidentifier() and not os.path.exists(source):  # noqa: PTH110
        return _from_module(source, module, name, listing)
    try:
        with open(source, "rb") as stream:  # noqa: PTH123 - a name that the user gave
            value = json.loads(stream.read())
        return read_tools(value, source)
    except OSError as error:
        raise RegistryError(f"{source}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{source} does not list tools: {error}") from None


def _from_module(source: str, module: str, name: str, listing: Listing | None) -> tuple[Tool, ...]:
    if "" not in sys.path and os.getcwd() not in sys.path:  # noqa: PTH109 - as `python -m` does
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        value: Any = import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
    except Exception as error:  # noqa: BLE001 - the user's module may do anything
        raise RegistryError(f"{source}: {type(error).__name__}: {error}") from None
    try:
        tools = tuple(_listed(value, source, listing, 0))
    except RegistryError as error:
        raise RegistryError(f"{source}: {error}") from None
    except Exception as error:  # noqa: BLE001 - so may its objects
        raise RegistryError(f"{source}: {type(error).__name__}: {error}") from None
    if not tools:
        raise RegistryError(f"{source} lists no tool")
    return tools


def _listed(value: Any, source: str, listing: Listing | None, depth: int) -> Iterator[Tool]:
    """Go through the tools of an object, asking first who knows it, or each object of a list."""
    listed = None if listing is None else listing(value)
    if listed is not None:
        yield from listed
    elif isinstance(value, list | tuple | set | frozenset) and depth < _DEPTH:
        for item in value:
            yield from _listed(item, source, listing, depth + 1)
    else:
        yield from tools_in(value, source, depth)


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
    elif isinstance(value, types.ModuleType):
        yield from _of_module(value, origin)
    elif _guarded(value) is not None:
        yield _of_function(value, origin)
    elif (schema := _schema_of(value)) is not None and isinstance(_name_of(value), str):
        described = getattr(value, "description", None)
        text = described if isinstance(described, str) else ""
        yield Tool(_name_of(value), schema, origin, text)
    elif isinstance(value, functools.partial) or (
        callable(value) and not isinstance(value, type) and hasattr(value, "__name__")
    ):
        yield _of_function(value, origin)
    else:
        yield from _held(value, origin, depth)


def _held(value: Any, origin: str, depth: int) -> Iterator[Tool]:
    """Go through the tools of an agent or a server, or the guarded methods of an object."""
    for holder in _HOLDERS:
        held = getattr(value, holder, None)
        if isinstance(held, list | tuple | Mapping) and held:
            yield from tools_in(held, origin, depth + 1)
            return
    for name in dir(value):
        method = None if name.startswith("__") else _attribute(value, name)
        if callable(method) and _guarded(method) is not None:
            yield _of_function(method, origin)


def _attribute(value: Any, name: str) -> Any:
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001 - a property may want what is not there yet
        return None


def _of_module(module: types.ModuleType, origin: str) -> Iterator[Tool]:
    """Go through what a guard or an SDK made of functions; where it made nothing, all of them."""
    names = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    values = [getattr(module, name) for name in names]
    made = [v for v in values if _guarded(v) or (_schema_of(v) and _name_of(v) is not None)]
    own = [v for v in values if inspect.isfunction(v) and v.__module__ == module.__name__]
    for value in made or own:
        yield from tools_in(value, origin, 1)


def _guarded(value: object) -> Any:
    """Return the tool that a guard made of a function; None for anything else.

    Whoever guards has imported the guard, which lint alone does without: it is slow to import.
    """
    decorator, call = map(sys.modules.get, _GUARD)
    found = None if decorator is None else getattr(value, decorator.TOOL, None)
    return found if call is not None and isinstance(found, call.Tool) else None


def _mapped(value: Mapping[Any, Any], origin: str, depth: int) -> Iterator[Tool]:
    if _is_printed(value, 0):
        yield from read_tools(value, origin)
        return
    for inner in value.values():
        yield from tools_in(inner, origin, depth + 1)


def _is_printed(value: object, depth: int) -> bool:
    """Whether something is made of JSON values alone, as far down as names of tools stand."""
    if isinstance(value, Mapping | list) and depth < _DEPTH:
        inner = value.values() if isinstance(value, Mapping) else value
        return all(_is_printed(one, depth + 1) for one in inner)
    return value is None or isinstance(value, Mapping | list | str | int | float)


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
    inner = function.func if isinstance(function, functools.partial) else function
    guarded = _guarded(inner)
    name = inner.__name__ if guarded is None else guarded.name
    injected = frozenset({"self", "cls"}) if guarded is None else guarded.signature.injected
    try:
        hints = get_type_hints(inner)
        free = inspect.signature(function).parameters
        # What a partial of a guarded function has bound is judged all the same.
        parameters = (free if guarded is None else inspect.signature(inner).parameters).values()
    except Exception:  # noqa: BLE001 - annotations may name what is not there
        return Tool(name, origin=origin, typed=False)
    properties: dict[str, Any] = {}
    required: list[str] = []
    is_open = False
    for parameter in parameters:
        if parameter.name in injected:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            items = _json_schema(hints.get(parameter.name), 1)
            properties[parameter.name] = {"type": "array", "items": items}
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            is_open = True
            continue
        properties[parameter.name] = _json_schema(hints.get(parameter.name), 0)
        if parameter.name in free and free[parameter.name].default is parameter.empty:
            required.append(parameter.name)
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    schema["additionalProperties"] = is_open
    return Tool(name, schema, origin, inspect.getdoc(inner) or "")


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
