"""Replace pieces of a value's strings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from policy_engine.errors import CheckError

__all__ = ["Redaction", "RedactionLike", "redact"]


class RedactionLike(Protocol):
    """What `redact` reads of a redaction."""

    @property
    def pointer(self) -> str:
        """The JSON Pointer of the string."""

    @property
    def start(self) -> int:
        """Where the piece begins, in code points."""

    @property
    def end(self) -> int:
        """Where it ends."""

    @property
    def replacement(self) -> str:
        """What stands there afterwards."""


@dataclass(frozen=True, slots=True, order=True)
class Redaction:
    """A piece of a string to replace."""

    pointer: str
    start: int
    end: int
    replacement: str


def redact(value: object, redactions: Iterable[RedactionLike]) -> object:
    """Return a copy of a value with pieces replaced; overlapping pieces become one.

    Raises:
        CheckError: A redaction leads to no string, or beyond its end.
    """
    by_place: dict[tuple[str, ...], list[RedactionLike]] = {}
    for redaction in redactions:
        by_place.setdefault(_steps(redaction.pointer), []).append(redaction)
    for steps, pieces in by_place.items():
        value = _replaced(value, steps, pieces)
    return value


def _steps(pointer: str) -> tuple[str, ...]:
    if not pointer:
        return ()
    return tuple(
        step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("/").split("/")
    )


def _replaced(value: object, steps: tuple[str, ...], pieces: list[RedactionLike]) -> object:
    """Copy what leads to a string, and change the string."""
    if not steps:
        if isinstance(value, str):
            return _cut(value, pieces)
    elif isinstance(value, Mapping):
        if steps[0] in value:
            return {**value, steps[0]: _replaced(value[steps[0]], steps[1:], pieces)}
    elif isinstance(value, list | tuple) and steps[0].isdecimal() and int(steps[0]) < len(value):
        items = list(value)
        items[int(steps[0])] = _replaced(items[int(steps[0])], steps[1:], pieces)
        return items
    raise CheckError("a redaction leads to no text")


def _cut(text: str, pieces: list[RedactionLike]) -> str:
    written = []
    at = 0
    for start, end, replacement in _merged(pieces):
        if not 0 <= start <= end <= len(text):
            raise CheckError("a redaction leads beyond its text")
        written += [text[at:start], replacement]
        at = end
    written.append(text[at:])
    return "".join(written)


def _merged(pieces: list[RedactionLike]) -> list[tuple[int, int, str]]:
    """Merge overlaps; the piece that begins first, or is longest, says what stands there."""
    merged: list[tuple[int, int, str]] = []
    ordered = sorted({(piece.start, -piece.end, piece.replacement) for piece in pieces})
    for start, negative_end, replacement in ordered:
        end = -negative_end
        if merged and (start < merged[-1][1] or (start, end) == merged[-1][:2]):
            first, last, kept = merged[-1]
            merged[-1] = (first, max(last, end), kept)
        else:
            merged.append((start, end, replacement))
    return merged
