"""Replace pieces of a value's strings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from policy_engine.errors import CheckError

__all__ = ["Redaction", "RedactionLike", "redact", "redact_parts"]


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
    root = _Place()
    for redaction in redactions:
        place = root
        for step in _steps(redaction.pointer):
            place = place.below.setdefault(step, _Place())
        place.pieces.append(redaction)
    return _replaced(value, root)


def redact_parts(parts: Sequence[str], redactions: Iterable[RedactionLike]) -> list[str]:
    """Return the parts of one text with pieces of the whole replaced.

    What is put in place of a piece stands in the part where the piece begins.

    Raises:
        CheckError: A redaction leads beyond the end of the text.
    """
    merged = _merged(redactions)
    length = sum(map(len, parts))
    if not all(0 <= start <= end <= length for start, end, _ in merged):
        raise CheckError("a redaction leads beyond its text")
    written: list[str] = []
    first = at = 0
    pieces = iter([*merged, None])
    piece = next(pieces)
    for number, part in enumerate(parts):
        last = first + len(part)
        kept: list[str] = []
        while piece is not None and (piece[0] < last or number == len(parts) - 1):
            start, end, replacement = piece
            kept += (part[max(at - first, 0) : start - first], replacement)
            at = end
            piece = next(pieces)
        kept.append(part[max(at - first, 0) :])
        written.append("".join(kept))
        first = last
    return written


@dataclass(slots=True)
class _Place:
    """What is replaced at a place and below it, so that each container is copied once."""

    pieces: list[RedactionLike] = field(default_factory=list)
    below: dict[str, "_Place"] = field(default_factory=dict)


def _steps(pointer: str) -> tuple[str, ...]:
    if not pointer:
        return ()
    return tuple(
        step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("/").split("/")
    )


def _replaced(value: object, place: _Place) -> object:
    """Copy what leads to strings, and change the strings."""
    if not place.pieces and not place.below:
        return value
    if isinstance(value, str) and not place.below:
        return _cut(value, place.pieces)
    if place.pieces:
        raise CheckError("a redaction leads to no text")
    if isinstance(value, Mapping):
        if not place.below.keys() <= value.keys():
            raise CheckError("a redaction leads to no text")
        changed = {step: _replaced(value[step], below) for step, below in place.below.items()}
        return {**value, **changed}
    if isinstance(value, list | tuple):
        items = list(value)
        for step, below in place.below.items():
            if not step.isdecimal() or int(step) >= len(items):
                raise CheckError("a redaction leads to no text")
            items[int(step)] = _replaced(items[int(step)], below)
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


def _merged(pieces: Iterable[RedactionLike]) -> list[tuple[int, int, str]]:
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
