"""Sets of characters as ranges, and one character for each class that none of them splits."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final, TypeAlias

__all__ = [
    "ANY",
    "DIGITS",
    "ECMA_SPACE",
    "SPACE",
    "WORD",
    "Letters",
    "complement",
    "folded",
    "is_in",
    "letters_of",
    "representatives",
    "union",
]

Letters: TypeAlias = tuple[tuple[int, int], ...]
"""Ranges of code points, sorted and apart."""

_LAST: Final = 0x10FFFF
_HALVES: Final = (0xD800, 0xDFFF)
"""Halves of surrogate pairs are no characters of a text."""
_PLAIN: Final = tuple(map(ord, "axmAXM17 -_./@:,#é\n"))


def letters_of(ranges: Iterable[tuple[int, int]]) -> Letters:
    """Return ranges as a set."""
    made: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if made and low <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(high, made[-1][1]))
        elif low <= high:
            made.append((low, high))
    return tuple(made)


def union(*sets: Letters) -> Letters:
    """Return what is in any of some sets."""
    return letters_of(pair for one in sets for pair in one)


def complement(letters: Letters) -> Letters:
    """Return every other character."""
    made, at = [], 0
    for low, high in letters:
        if at < low:
            made.append((at, low - 1))
        at = high + 1
    if at <= _LAST:
        made.append((at, _LAST))
    return tuple(made)


def is_in(code: int, letters: Letters) -> bool:
    """Whether a character is in a set."""
    index = bisect_right(letters, (code, _LAST + 1)) - 1
    return index >= 0 and letters[index][0] <= code <= letters[index][1]


def folded(letters: Letters) -> Letters | None:
    """Return a set in both cases; None beyond ASCII, where engines differ."""
    made = list(letters)
    for low, high in letters:
        if low < 0x80 <= high and (low, high) != (0, _LAST):
            return None
        if low >= 0x80:
            return None
        for code in range(low, min(high, 0x7F) + 1):
            other = ord(chr(code).swapcase())
            made.append((other, other))
            # The long s and the sign of Kelvin are s and k in another case.
            made.extend(
                (extra, extra)
                for extra in {"s": (0x17F,), "k": (0x212A,)}.get(chr(code).lower(), ())
            )
    return letters_of(made)


ANY: Final[Letters] = ((0, _LAST),)
DIGITS: Final[Letters] = ((0x30, 0x39),)
WORD: Final[Letters] = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACE: Final[Letters] = ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20))
"""White space as RE2 has it."""
ECMA_SPACE: Final = letters_of(
    (
        *((0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
        *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
    )
)
"""White space as JSON Schema has it."""


def representatives(sets: Iterable[Letters]) -> str:
    """Return a character of each class that no set splits, plain ones first."""
    turns = dict.fromkeys((0, *_PLAIN, *(code + 1 for code in _PLAIN)), 0)
    for number, one in enumerate(dict.fromkeys(sets)):
        for low, high in one:
            for edge in (low, high + 1):
                turns[edge] = turns.get(edge, 0) ^ (1 << number)
    inside, classes = 0, {}
    for edge in sorted(turns):
        inside ^= turns[edge]
        classes[edge] = inside
    found: dict[int, str] = {}
    for code in (*_PLAIN, *classes):
        if code <= _LAST and not _HALVES[0] <= code <= _HALVES[1]:
            found.setdefault(classes[code], chr(code))
    return "".join(found.values())
