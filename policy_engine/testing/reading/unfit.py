"""Arguments that do not fit a tool: a call is denied for them, whatever else is tested."""

from collections.abc import Iterator
from typing import Any

from policy_engine.compiler.message import escaped
from policy_engine.decision import Reason, Request
from policy_engine.policy.words import choices
from policy_engine.source import Path
from policy_engine.testing.case import Expected, Step
from policy_engine.testing.reading.fields import Fields
from policy_engine.testing.reading.names import Names
from policy_engine.testing.reading.unmet import misspelt

__all__ = ["strange_arguments", "unfit_arguments"]

_UNKNOWN = "args.additionalProperties"
_MISSING = "args.required"


def strange_arguments(fields: Fields, path: Path, step: Step, names: Names) -> None:
    """Note a fault for each misspelt argument that denies a call, whatever the rules say."""
    request, expected = step.given.request, step.expected
    if expected is not None and (expected.effect not in (None, "deny") or expected.message):
        return
    named = () if expected is None else _named(expected)
    if any("/args" in rule for rule in named):
        return
    args = request.args if isinstance(request.args, dict) else {}
    declared = names.declared(request.tool or "")
    for reason in _formal(request, names):
        for name in _undeclared(request, args, names) if reason.code == _UNKNOWN else ():
            if near := misspelt(name, declared):
                message = f'"{request.tool}" has no argument "{name}"'
                hint = f"{near} to mean it, expect `rules: [{reason.rule}]`"
                fields.fault((*path, "args", name), "PE011", message, hint, on_key=True)


def unfit_arguments(fields: Fields, path: Path, request: Request, names: Names) -> bool:
    """Note a fault for each argument in a matrix that does not fit, and tell whether there is one.

    A matrix shows who may use what, and a call whose arguments do not fit is denied to everybody.
    """
    args = request.args if isinstance(request.args, dict) else {}
    count = len(fields.faults)
    is_misspelt = False
    for reason in _formal(request, names):
        if reason.code == _UNKNOWN:
            is_misspelt = True
            for name in _undeclared(request, args, names):
                _unknown(fields, path, name, request, names)
        elif is_misspelt:
            break  # what is missing may be what is misspelt
        elif reason.code == _MISSING and (missing := _missing(reason, request, names)):
            hint = "a matrix shows who may use a tool: give it arguments that fit"
            fields.fault(path, "PE007", f"{missing} is missing", hint)
        else:
            found = [name for name in args if reason.rule.endswith(f"/args/{escaped(name)}")]
            hint = "a matrix shows who may use a tool: give it arguments that fit"
            message = (reason.message or "the arguments do not fit").rstrip(".")
            message = message[0].lower() + message[1:]
            fields.fault((*path, *found[:1]), "PE009", message, hint)
    return len(fields.faults) > count


def _named(expected: Expected) -> tuple[str, ...]:
    return (
        *expected.rules,
        *expected.any_of,
        *(expected.cannot_tell or ()),
        *expected.observed,
    )


def _formal(request: Request, names: Names) -> Iterator[Reason]:
    """Yield why entries deny a call for its arguments, first for those that they do not have."""
    if request.stage != "tool_call":
        return
    found = [
        reason
        for reason in names.engine.decide(request).reasons
        if reason.enforced and reason.code.startswith("args.")
        if "/tools/" in reason.rule and "/args" in reason.rule
    ]
    yield from sorted(found, key=lambda reason: reason.code != _UNKNOWN)


def _undeclared(request: Request, args: dict[str, Any], names: Names) -> list[str]:
    declared = names.declared(request.tool or "")
    return [name for name in args if name not in declared]


def _missing(reason: Reason, request: Request, names: Names) -> str:
    """Name the argument that a reason misses; empty where it is one of its keys."""
    for rule, declared in names.arguments.items():
        for name in declared:
            if reason.rule == f"{rule}/args/{escaped(name)}" and name not in (request.args or {}):
                return f'the argument "{name}" of "{request.tool}"'
    return ""


def _unknown(fields: Fields, path: Path, name: str, request: Request, names: Names) -> None:
    declared = names.declared(request.tool or "")
    listed = f"it takes: {choices(declared)}" if declared else "it takes none"
    if name == "args":
        listed = f"{listed}; in a matrix they stand right below the tool"
    message = f'"{request.tool}" has no argument "{name}"'
    hint = misspelt(name, declared) or listed
    fields.fault((*path, name), "PE011", message, hint, on_key=True)
