"""Reads parts of a test file, and notes a fault with its place for each that does not fit."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from policy_engine.errors import Fault
from policy_engine.policy.words import choices, did_you_mean, kind_of, quoted
from policy_engine.source import Document, Path

__all__ = ["MAX_REPEAT", "Fields", "same_id"]

MAX_REPEAT: Final = 100_000
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"([1-9][0-9]{0,8})(ms|s|m|h|d)")


@dataclass(slots=True)
class Fields:
    """A test file while it is read."""

    document: Document
    faults: list[Fault] = field(default_factory=list)

    def fault(
        self, path: Path, code: str, message: str, hint: str | None = None, *, on_key: bool = False
    ) -> None:
        """Note what is wrong with a value, or with its key."""
        self.faults.append(self.document.fault(path, code, message, hint=hint, on_key=on_key))

    def mapping(
        self,
        path: Path,
        value: object,
        known: Sequence[str],
        required: Sequence[str] = (),
        elsewhere: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, Any]:
        """Return a mapping with known keys; without those that are not known.

        Args:
            path: Where it stands.
            value: What stands there.
            known: The keys that it may have.
            required: The keys that it must have.
            elsewhere: What to do about keys that people look for here.
        """
        if not isinstance(value, dict):
            self.mistyped(path, value, "a mapping", f"keys: {choices(known)}")
            return {}
        for key in value:
            if key not in known:
                near = elsewhere.get(key) or did_you_mean(key, known)
                hint = near or f"known here: {choices(known)}"
                message = f'the key "{key}" is unknown here'
                self.fault((*path, key), "PE006", message, hint, on_key=True)
        for key in required:
            if key not in value:
                message = f'the key "{key}" is missing'
                self.fault(path, "PE007", message, f"add `{key}: …`", on_key=True)
        return {key: item for key, item in value.items() if key in known}

    def named(self, path: Path, value: object, what: str) -> dict[str, Any]:
        """Return a mapping with names of the author's own; `what` is one of them."""
        if isinstance(value, dict) and value:
            return value
        if value == {} and isinstance(value, dict):
            hint = f"name {what}, or remove the key"
            self.fault(path, "PE020", f"{_subject(path)} is an empty mapping", hint)
        else:
            self.mistyped(path, value, "a mapping", f"name {what} with a colon behind it")
        return {}

    def items(self, path: Path, value: object, what: str) -> list[Any]:
        """Return a list that holds something."""
        if isinstance(value, list) and value:
            return value
        if isinstance(value, list):
            message = f"{_subject(path)} is an empty list"
            self.fault(path, "PE020", message, f"name {what}, or remove the key")
            return []
        hint = f"name {what} in each line below it, behind `- `"
        if isinstance(value, str | int | float):
            hint = f"write `{path[-1]}: [{value}]`"
        self.mistyped(path, value, "a list", hint)
        return []

    def text(self, path: Path, value: object, hint: str | None = None) -> str | None:
        """Return a text that is not empty."""
        if isinstance(value, str) and value:
            return value
        if value == "":
            self.fault(path, "PE009", f"{_subject(path)} is an empty text", hint)
        else:
            self.mistyped(path, value, "a text", hint)
        return None

    def texts(self, path: Path, value: object, what: str) -> tuple[str, ...]:
        """Return a list of texts."""
        found = (
            self.text((*path, i), item) for i, item in enumerate(self.items(path, value, what))
        )
        return tuple(text for text in found if text is not None)

    def choice(
        self,
        path: Path,
        value: object,
        known: Iterable[str],
        meant: Mapping[str, str] = MappingProxyType({}),
    ) -> str | None:
        """Return one of some words; `meant` has what others call them."""
        words = list(known)
        if isinstance(value, str) and value in words:
            return value
        if not isinstance(value, str):
            self.mistyped(path, value, "a text", f"one of: {choices(words)}")
            return None
        other = meant.get(value.lower())
        near = did_you_mean(value, words) if other is None else f'did you mean "{other}"?'
        hint = near or f"one of: {choices(words)}"
        self.fault(path, "PE009", f"{_subject(path)} cannot be {quoted(value)}", hint)
        return None

    def whole(self, path: Path, value: object, least: int, most: int) -> int | None:
        """Return a whole number within bounds."""
        key = path[-1]
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        message = f"{_subject(path)} must be a whole number from {least:,} to {most:,}"
        given = quoted(value)
        code = "PE009" if isinstance(value, int) and not isinstance(value, bool) else "PE008"
        hint = f"write `{key}: {least}`, or remove the key" if value in (0, None) else None
        self.fault(path, code, f"{message}, not {given}", hint)
        return None

    def duration(self, path: Path, value: object) -> float | None:
        """Return a duration in seconds."""
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is not None:
            return int(match[1]) * _UNITS[match[2]]
        hint = "a duration is a whole number with a unit: 500ms, 30s, 15m, 1h or 7d"
        code = "PE009" if isinstance(value, str) else "PE008"
        self.fault(path, code, f"{_subject(path)} is not a duration: {quoted(value)}", hint)
        return None

    def name(
        self, path: Path, value: str, known: Iterable[str], noun: str, *, on_key: bool = False
    ) -> str | None:
        """Return a name that must exist."""
        names = sorted(set(known))
        if value in names:
            return value
        listed = f"there are: {choices(names)}" if names else "there are none"
        hint = same_id(value, names) or did_you_mean(value, names) or listed
        message = f"there is no {noun} {quoted(value)}"
        self.fault(path, "PE011", message, hint, on_key=on_key)
        return None

    def mistyped(self, path: Path, value: object, expected: str, hint: str | None) -> None:
        """Note that a value is not what it must be."""
        if value is None:
            message = f"{_subject(path)} has no value"
        else:
            given = quoted(value)
            shown = given if given == kind_of(value) else f"{_kind(value)} {given}"
            message = f"{_subject(path)} must be {expected}, not {shown}"
        self.fault(path, "PE008", message, hint)


def same_id(name: str, known: Iterable[str]) -> str | None:
    """Return a hint with the rule that has the id with which a name ends; None if none has it."""
    if " " in name:
        return None
    own, _, _ = name.partition("/")
    last = name.rpartition("/")[2]
    found = sorted(one for one in set(known) if "/" in one and one.rpartition("/")[2] == last)
    inside = [one for one in found if one.partition("/")[0] == own]
    meant = inside if len(inside) == 1 else found
    if len(meant) == 1:
        return f'did you mean "{meant[0]}"?'
    return f"one of: {', '.join(found)}" if found and "/" not in name else None


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "the value"
    return "the text" if isinstance(value, str) else "the number"


def _subject(path: Path) -> str:
    key = next((step for step in reversed(path) if isinstance(step, str)), None)
    if key is None:
        return "the file"
    return f'each item of "{key}"' if path and isinstance(path[-1], int) else f'"{key}"'
