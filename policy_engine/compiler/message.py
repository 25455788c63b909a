"""What the model is told where a policy has no words of its own; it quotes the policy alone."""

from collections.abc import Mapping, Sequence
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


def escaped(name: str) -> str:
    """Escape a name as a JSON Pointer token (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def argument(fault: _Fault, schemas: Mapping[str, Any]) -> str:
    """Say what is wrong with an argument."""
    schema = schemas.get(fault.argument)
    if schema is None:
        if fault.keyword == "additionalProperties":
            return f"This call takes only these arguments: {_listed(list(schemas)) or 'none'}."
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
    value = _at(schema, fault.schema_path)
    if value is None and "{value}" in sentence:
        sentence = "{name} does not fit its schema."
    return sentence.format(name=name, value=_listed(value))


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
    people = (
        "the user" if gate.approvers == ("requester",) else _listed(list(gate.approvers), " or ")
    )
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


def _at(schema: object, path: tuple[str | int, ...]) -> object:
    for step in path:
        if isinstance(schema, Mapping):
            schema = schema.get(step)
        elif isinstance(schema, Sequence) and isinstance(step, int) and step < len(schema):
            schema = schema[step]
        else:
            return None
    return schema


def _listed(value: object, joint: str = ", ") -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list | tuple):
        return joint.join(map(_listed, value))
    return str(value)
