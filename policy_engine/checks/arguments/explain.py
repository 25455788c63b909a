"""Which argument does not fit, where, and by which keyword; never with what value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policy_engine.checks.schema import Closed, NativeError, SchemaPath, is_json
from policy_engine.text.pointer import pointer_of

__all__ = ["ArgumentFault", "message_on", "mistyped", "unfit"]


@dataclass(frozen=True, slots=True)
class ArgumentFault:
    """One reason why a call's arguments do not fit."""

    argument: str
    """The argument's name; empty where no single one is to blame."""
    pointer: str
    """The JSON Pointer, below the argument, of what does not fit."""
    keyword: str
    """The keyword that it breaks, or `failed` where it could not be judged."""
    message: str | None
    """The author's own message, of the nearest schema that has one."""
    schema_path: SchemaPath
    """The keyword's place in the argument's schema."""


_NAMES: Final[Mapping[str, str]] = {
    "unevaluatedProperties": "additionalProperties",
    "falseSchema": "false",
}
"""Keywords that the language does not have, and those that its authors know them by."""

_NOTHING: Final = object()


def unfit(
    error: NativeError, schemas: Mapping[str, Mapping[str, object]], closed: Mapping[str, Closed]
) -> Iterator[ArgumentFault]:
    """Turn one error of the validator into faults of arguments."""
    kind = error.kind
    keyword = _NAMES.get(kind.name, kind.name)
    way: Sequence[str | int] = error.instance_path
    if not way:
        yield from _of_the_call(keyword, kind.as_dict(), schemas)
        return
    argument = str(way[0])
    schema, enforced = schemas[argument], closed[argument]
    path = tuple(error.schema_path)
    own = path if path[:1] == ("$defs",) else path[2:]
    schema_path = enforced.written(own)
    if keyword == "required":
        missing = kind.as_dict()["property"]
        way = [*way, missing]
        if not _stands(schema, schema_path):
            schema_path = (*schema_path[:-1], "properties", missing)
    while schema_path and not _stands(schema, schema_path):
        schema_path = schema_path[:-1]
    evaluated = tuple(error.evaluation_path)[2:]
    until = evaluated.index("$ref") if "$ref" in evaluated else len(evaluated)
    near = enforced.written(evaluated[:until])
    if keyword == "required":
        near = (*near[:-1], "properties", way[-1])
    yield ArgumentFault(
        argument, pointer_of(way[1:]), keyword, message_on(schema, near), schema_path
    )


def mistyped(
    args: Mapping[object, object], schemas: Mapping[str, Mapping[str, object]]
) -> Iterator[ArgumentFault]:
    """Find the arguments that are not JSON values."""
    for name, value in args.items():
        if type(name) is not str:
            yield ArgumentFault("", "", "failed", None, ())
        elif not is_json(value):
            message = message_on(schemas.get(name, {}), ())
            yield ArgumentFault(name, "", "type", message, ())


def message_on(schema: Mapping[str, object], path: SchemaPath) -> str | None:
    """Read the author's message of the nearest schema on the way to a place."""
    message: str | None = None
    here: object = schema
    for step in (*path, None):
        own = here.get("message") if isinstance(here, dict) else None
        # Below `properties`, a "message" is the schema of a property with that name.
        message = own if isinstance(own, str) else message
        here = _step(here, step)
    return message


def _of_the_call(
    keyword: str, details: Mapping[str, object], schemas: Mapping[str, Mapping[str, object]]
) -> Iterator[ArgumentFault]:
    """Explain an argument that is missing, or one that nothing declares."""
    if keyword == "required":
        name = str(details["property"])
        yield ArgumentFault(name, "", keyword, message_on(schemas[name], ()), ())
    elif keyword == "additionalProperties":
        unexpected = details["unexpected"]
        for name in unexpected if isinstance(unexpected, list) else ():
            yield ArgumentFault(str(name), "", keyword, None, ())


def _stands(schema: object, path: SchemaPath) -> bool:
    """Tell whether a path leads to something in a schema as written."""
    for step in path:
        schema = _step(schema, step)
    return schema is not _NOTHING


def _step(holder: object, step: str | int | None) -> object:
    """Go one step down; nothing is there below nothing."""
    if isinstance(holder, dict) and step in holder:
        return holder[step]
    if isinstance(holder, list) and isinstance(step, int) and step < len(holder):
        return holder[step]
    return _NOTHING
