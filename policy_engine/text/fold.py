"""Undo the disguises of a text, with a map back to the original.

The *skeleton* of a text is its NFKC form without invisible characters, look-alikes replaced by
the ASCII that they pass for, case kept. The *folded* text is the skeleton without case.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

from policy_engine.text._confusables import BINDING, IGNORED, LOOK_ALIKES, ZEROS

__all__ = ["GONE", "Mapped", "fold", "map_folded", "map_skeleton", "skeleton"]

GONE: Final = "\ue000"
"""Stands where something was found, while the rest is searched again: no letter, no space, and
as bare of marks as the ASCII that will replace it."""

_CONTROLS: Final = (*range(0x09), *range(0x0E, 0x20), 0x7F)
"""Control characters of ASCII; its white space stays."""

_WITHOUT_CONTROLS: Final = dict.fromkeys(_CONTROLS)
_HIDDEN: Final = frozenset(
    [chr(code) for code in _CONTROLS]
    + [chr(code) for first, last in IGNORED for code in range(first, last + 1)]
)
_BINDING: Final = frozenset(chr(code) for first, last in BINDING for code in range(first, last + 1))
_LETTER_RUNS: Final = (0x1F150, 0x1F170, 0x1F1E6)
"""Where the letters A to Z stand in circles, in squares and as halves of flags."""

_FOLDS: Final = {
    **{other: char for char, others in LOOK_ALIKES.items() for other in others},
    **{chr(zero + digit): str(digit) for zero in ZEROS for digit in range(10)},
    **{chr(run + i): chr(ord("A") + i) for run in _LETTER_RUNS for i in range(26)},
}


@dataclass(frozen=True, slots=True)
class Mapped:
    """A text made from another, which remembers where each character comes from."""

    text: str
    starts: list[int]
    """For each character, where in the original it begins."""
    ends: list[int]
    """For each character, where in the original it ends."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Lead a span of this text, not empty, back to the original."""
        return self.starts[start], max(self.ends[start:end])


def skeleton(text: str) -> str:
    """Undo disguises, keeping case."""
    if text.isascii():
        return text.translate(_WITHOUT_CONTROLS)
    distinct = set(text)
    for char in distinct & _HIDDEN:
        text = text.replace(char, "")
    normal = unicodedata.normalize("NFKC", text)
    if normal != text:
        text = normal
        distinct = set(text)
    if text.isascii():
        return text
    for char in distinct:
        if char in _FOLDS:
            text = text.replace(char, _FOLDS[char])
    if any(map(_is_mark, distinct)):
        text = _without_marks(text)
    return text


def fold(text: str) -> str:
    """Undo disguises and case."""
    return skeleton(text).casefold()


def map_skeleton(text: str) -> Mapped:
    """Make the skeleton of a text, with the map back."""
    made: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end, chars in _segments(text):
        for char in unicodedata.normalize("NFKC", chars):
            folded = _FOLDS.get(char, char)
            if made and _is_stray(folded, made[-1]):
                ends[-1] = end
                continue
            made.append(folded)
            starts.append(start)
            ends.append(end)
    return Mapped("".join(made), starts, ends)


def map_folded(text: str) -> Mapped:
    """Make the folded form of a text, with the map back."""
    bare = map_skeleton(text)
    made: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for char, start, end in zip(bare.text, bare.starts, bare.ends, strict=True):
        for folded in char.casefold():
            made.append(folded)
            starts.append(start)
            ends.append(end)
    return Mapped("".join(made), starts, ends)


def _segments(text: str) -> list[tuple[int, int, str]]:
    """Cut a text, without what is hidden, where normalisation cannot reach across."""
    segments: list[tuple[int, int, str]] = []
    for index, char in enumerate(text):
        if char in _HIDDEN:
            continue
        if segments and not _begins(char):
            start, _, chars = segments[-1]
            segments[-1] = (start, index + 1, chars + char)
        else:
            segments.append((index, index + 1, char))
    return segments


def _begins(char: str) -> bool:
    """Tell whether no character before it can merge with this one."""
    if char.isascii():
        return True
    first = unicodedata.normalize("NFKD", char)[0]
    return unicodedata.combining(first) == 0 and first not in _BINDING


def _is_mark(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char)[0] == "M"


def _is_stray(char: str, base: str) -> bool:
    """Tell whether a mark stands on ASCII, or on ASCII that has its accent already."""
    return _is_mark(char) and (base == GONE or unicodedata.normalize("NFKD", base)[0].isascii())


def _without_marks(text: str) -> str:
    """Take away the marks that no language writes: strokes through letters, and stacks."""
    kept: list[str] = []
    for char in text:
        if not (kept and _is_stray(char, kept[-1])):
            kept.append(char)
    return "".join(kept)
