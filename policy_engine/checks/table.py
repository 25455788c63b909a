"""The closed table of checks, and how the value of `check` is read."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from policy_engine.checks.json import JSON
from policy_engine.checks.kind import CheckKind, OptionFault, OptionFaults, TextCheck
from policy_engine.checks.pattern import PATTERN
from policy_engine.checks.schema import suggest
from policy_engine.checks.size import SIZE
from policy_engine.checks.terms import TERMS
from policy_engine.text import Patterns

__all__ = ["CHECKS", "LATER", "build_check"]

CHECKS: Final[Mapping[str, CheckKind[Any]]] = MappingProxyType(
    {kind.name: kind for kind in (SIZE, TERMS, PATTERN, JSON)}
)
"""Every kind of check."""

LATER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pii": "finds personal data such as card and social security numbers",
        "secrets": "finds keys, tokens and passwords",
        "injection": "finds instructions to the model hidden in a text",
        "links": "finds links and images that lead to hosts not listed",
        "unicode": "finds invisible, bidirectional and look-alike characters",
        "classifier": "asks a classifier model",
        "judge": "asks a language model with a rubric",
        "custom": "asks a function of the application",
    }
)
"""Kinds that this version does not have yet: name -> what it will do."""


def build_check(value: object, patterns: Patterns) -> TextCheck:
    """Build a check from the value of `check`, a mapping from one kind to its options.

    Raises:
        OptionFaults: The value does not do; paths lead into it.
    """
    if not isinstance(value, dict) or len(value) != 1:
        message = '"check" takes one kind of check with its options'
        raise OptionFaults([OptionFault((), message, _kinds(), "PE008")])
    ((name, given),) = value.items()
    kind = CHECKS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise OptionFaults([_unknown(str(name))])
    try:
        options = kind.options.model_validate(given)
    except ValidationError as error:
        faults = [_of_pydantic(found, kind.options) for found in error.errors()]
        raise OptionFaults(list(_below(kind.name, faults))) from error
    try:
        return kind.build(options, patterns)
    except OptionFaults as error:
        raise OptionFaults(list(_below(kind.name, error.faults))) from error


def _unknown(name: str) -> OptionFault:
    if name in LATER:
        message = f'this version does not have the check "{name}" yet'
        return OptionFault((name,), message, f"it {LATER[name]}", "PE018", on_key=True)
    hint = suggest(name, CHECKS) or _kinds()
    return OptionFault((name,), f'unknown check "{name}"', hint, "PE006", on_key=True)


def _kinds() -> str:
    return f"checks: {', '.join(CHECKS)}"


def _below(name: str, faults: Any) -> Iterator[OptionFault]:
    for fault in faults:
        yield OptionFault((name, *fault.path), fault.message, fault.hint, fault.code, fault.on_key)


def _of_pydantic(found: Any, options: type[BaseModel]) -> OptionFault:
    """Say in our words what pydantic found."""
    path = tuple(found["loc"])
    last = path[-1] if path else ""
    if found["type"] == "extra_forbidden":
        known = [field.alias or name for name, field in options.model_fields.items()]
        message = f'unknown key "{last}"'
        return OptionFault(path, message, suggest(str(last), known), "PE006", on_key=True)
    if found["type"] == "missing":
        return OptionFault(path[:-1], f'"{last}" is missing', "", "PE007")
    code = "PE009" if found["type"] in {"literal_error", "string_pattern_mismatch"} else "PE008"
    message = found["msg"][:1].lower() + found["msg"][1:]
    return OptionFault(path, f'"{last}": {message}' if last else message, "", code)
