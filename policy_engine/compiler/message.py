"""What the model is told where a policy has no words of its own; it quotes the policy alone."""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from policy_engine.policy import Approval

__all__ = ["approval", "argument", "escaped", "per", "rule", "seconds"]


class _Fault(Protocol):
    @property
    def argument(self) -> str: ...
    @property
    def keyword(self) -> str: ...
    @property
    def pointer(self) -> str: ...
    @property
    def schema_path(self) -> tuple[str | int, ...]: ...


_SENTENCES: Final[Mapping[str, str]] = {
    "type": "{name} must be of type {value}.",
    "enum": "{name} must be one of: {value}.",
    "const": "{name} must be {value}.",
    "minimum": "{name} must be at least {value}.",
    "maximum": "{name} must be at most {value}.",
    "exclusiveMinimum": "{name} must be more than {value}.",
    "exclusiveMaximum": "{name} must be less than {value}.",
    "multipleOf": "{name} must be a multiple of {value}.",
    "minLength": "{name} must have at least {value} characters.",
    "maxLength": "{name} must have at most {value} characters.",
    "maxBytes": "{name} must have at most {value} bytes.",
    "pattern": "{name} must match the pattern {value}.",
    "format": "{name} must have the format {value}.",
    "minItems": "{name} must have at least {value} items.",
    "maxItems": "{name} must have at most {value} items.",
    "uniqueItems": "{name} must not repeat an item.",
    "minProperties": "{name} must have at least {value} keys.",
    "maxProperties": "{name} must have at most {value} keys.",
    "check": "{name} breaks a text check.",
    "failed": "{name} could not be judged.",
}
_ABSENT: Final = object()


def escaped(name: str) -> str:
    """Escape a name as a JSON Pointer token (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def argument(fault: _Fault, schemas: Mapping[str, Any]) -> str:
    """Say what is wrong with an argument."""
    schema = schemas.get(fault.argument)
    if schema is None:
        if fault.keyword == "additionalProperties":
            return f"This call takes only these arguments: {', '.join(schemas) or 'none'}."
        return "The arguments of this call could not be judged."
    name = f'The argument "{fault.argument}"'
    nested = fault.pointer not in ("", f"/{escaped(fault.argument)}")
    if fault.keyword == "required":
        return f"{name} {'lacks a required key' if nested else 'is required'}."
    if fault.keyword == "additionalProperties":
        return f"{name} has a key that is not accepted."
    sentence = _SENTENCES.get(fault.keyword, "{name} does not fit its schema.")
    if nested:
        name = f'A part of the argument "{fault.argument}"'
    value = _value(fault, schema)
    if fault.keyword == "type" and not fault.schema_path:
        value = _value_of_json(schema)
        sentence = sentence if value is not None else "{name} must hold JSON values alone."
    elif value is None and "{value}" in sentence:
        sentence = "{name} does not fit its schema."
    return sentence.format(name=name, value=value)


def rule(name: str, code: str, effect: str, gate: Approval | None) -> str:
    """Say that a rule spoke."""
    if effect == "redact":
        return f'Parts were redacted by the rule "{name}".'
    if effect == "require_approval" and gate is not None:
        return approval(gate)
    if code.endswith("cannot_tell"):
        return f'It cannot be told whether this breaks the rule "{name}", so it is not permitted.'
    return f'The rule "{name}" does not permit this.'


def approval(gate: Approval) -> str:
    """Say whose approval is needed."""
    people = "the user" if gate.approvers == ("requester",) else " or ".join(gate.approvers)
    count = f"{gate.quorum} approvals" if gate.quorum > 1 else "an approval"
    return f"This needs {count} from {people}."


def seconds(value: float) -> str:
    """Return a duration in the largest unit that fits."""
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if value >= unit and value % unit == 0:
            count = int(value // unit)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{value:g} seconds"


def per(window: float | str | None) -> str:
    """Return the window of a limit as it stands behind an amount."""
    if window is None:
        return ""
    return f" per {window if isinstance(window, str) else seconds(window).removeprefix('1 ')}"


def _value(fault: _Fault, schema: Mapping[str, Any]) -> str | None:
    """Return what a keyword asks for, as a model reads it; None where that cannot be told."""
    path = fault.schema_path
    if path[-1:] != (fault.keyword,):
        return None
    value = _at(schema, path)
    return None if value is _ABSENT else _wanted(fault.keyword, value)


def _value_of_json(schema: Mapping[str, Any]) -> str | None:
    """Return which type a value should have that JSON has no word for, such as NaN.

    Of a list or an object only a part may be at fault, and its type says nothing.
    """
    wanted = schema.get("type")
    types = wanted if isinstance(wanted, list) else [wanted]
    return None if {"object", "array", None} & {*types} else _wanted("type", wanted)


def _wanted(keyword: str, value: object) -> str:
    if keyword == "type":
        return " or ".join(value) if isinstance(value, list) else f"{value}"
    if keyword == "enum" and isinstance(value, list):
        return ", ".join(map(_spelled, value))
    return _spelled(value) if keyword == "const" else f"{value}"


def _at(schema: object, path: tuple[str | int, ...]) -> object:
    for step in path:
        is_there = (isinstance(schema, Mapping) and step in schema) or (
            isinstance(schema, list) and isinstance(step, int) and step < len(schema)
        )
        if not is_there:
            return _ABSENT
        schema = schema[step]  # type: ignore[index]
    return schema


def _spelled(value: object) -> str:
    """Return a value as JSON has it; a text that cannot be mistaken stands without quotes."""
    if isinstance(value, str) and value and value == value.strip() and not _is_number(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _is_number(text: str) -> bool:
    """Whether a text reads as a number, or as another word of JSON, without its quotes."""
    try:
        float(text)
    except ValueError:
        return text in ("true", "false", "null")
    return True
