"""Constants: `vars.NAME` stands for what the policy's `vars` say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from policy_engine.errors import Fault
from policy_engine.policy.words import choices, did_you_mean
from policy_engine.source import Document, Path

__all__ = ["Filled", "fill_constants"]

_REFERENCE: Final = re.compile(r"vars\.([A-Za-z_][A-Za-z0-9_]*)")
_MAX_FAULTS: Final = 100
_RULE_LISTS: Final = frozenset({"input", "output", "rules", "result"})


@dataclass(slots=True)
class Filled:
    """A document's data with constants in their places."""

    data: Any
    faults: list[Fault] = field(default_factory=list)
    unknown: set[Path] = field(default_factory=set)
    """Places whose constant is not known."""


def fill_constants(document: Document) -> Filled:
    """Put the policy's constants where `vars.NAME` stands; expressions read them themselves."""
    filled = Filled(document.data)
    known = document.data.get("vars")
    constants = known if isinstance(known, Mapping) else None
    filler = _Filler(document, constants, filled)
    if constants is not None:
        for name, value in constants.items():
            filler.refuse_references(("vars", name), value)
    if "vars." not in document.text:
        return filled
    filled.data = {
        key: value if key == "vars" else filler.fill((key,), value)
        for key, value in document.data.items()
    }
    return filled


@dataclass(slots=True)
class _Filler:
    document: Document
    constants: Mapping[str, Any] | None
    filled: Filled

    def fill(self, path: Path, value: Any) -> Any:
        """Return a value with its constants in place."""
        if isinstance(value, str):
            return self.constant(path, value) if value.startswith("vars.") else value
        if isinstance(value, list):
            return [self.fill((*path, i), item) for i, item in enumerate(value)]
        if isinstance(value, dict):
            for key in value:
                if _REFERENCE.fullmatch(key):
                    self._key(path, key)
            return {
                key: item if _is_expression((*path, key)) else self.fill((*path, key), item)
                for key, item in value.items()
            }
        return value

    def constant(self, path: Path, text: str) -> Any:
        """Return what a reference stands for; a text with spaces is prose."""
        if len(text.split()) > 1:
            return text
        match = _REFERENCE.fullmatch(text)
        if match is not None and self.constants is not None and match[1] in self.constants:
            return self.constants[match[1]]
        self.filled.unknown.add(path)
        if self.constants is None and "vars" in self.document.data:
            return text
        known = [f"vars.{name}" for name in self.constants or {}]
        hint = did_you_mean(text, known) or (
            f"constants of this policy: {choices(known)}" if known else "this policy has no vars"
        )
        self._fault(path, "PE011", f'"{text}" names no constant', hint)
        return text

    def refuse_references(self, path: Path, value: Any) -> None:
        """Report constants that refer to constants."""
        if isinstance(value, str) and _REFERENCE.fullmatch(value):
            message = f'a constant cannot refer to another: "{value}"'
            self._fault(path, "PE009", message, "write the value out")
        elif isinstance(value, list):
            for i, item in enumerate(value):
                self.refuse_references((*path, i), item)
        elif isinstance(value, dict):
            for key, item in value.items():
                self.refuse_references((*path, key), item)
        elif value is None and len(path) == 2:
            message = f'the constant "{path[-1]}" has no value'
            hint = "give it a value, or remove the line"
            fault = self.document.fault(path, "PE008", message, hint=hint, on_key=True)
            self.filled.faults.append(fault)

    def _key(self, path: Path, key: str) -> None:
        message = f'a key cannot be a constant: "{key}"'
        fault = self.document.fault(
            (*path, key), "PE009", message, hint="write the name out", on_key=True
        )
        self.filled.faults.append(fault)

    def _fault(self, path: Path, code: str, message: str, hint: str) -> None:
        if len(self.filled.faults) < _MAX_FAULTS:
            self.filled.faults.append(self.document.fault(path, code, message, hint=hint))


def _is_expression(path: Path) -> bool:
    """Tell whether a place holds an expression, which reads constants by itself."""
    key = path[-1]
    if key == "when":
        return len(path) >= 3 and isinstance(path[-2], int) and path[-3] in _RULE_LISTS
    if key in {"of", "by"}:
        return len(path) == 3 and path[0] == "limits"
    return key == "with" and len(path) == 3 and path[0] == "facts"
