"""Where a pattern is found, in offsets of the original text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from policy_engine.errors import CheckError
from policy_engine.text.content import Content, Text
from policy_engine.text.fold import GONE, Mapped, map_folded, map_skeleton, skeleton
from policy_engine.text.scanner import Scanner

__all__ = ["Accept", "Span", "confirms", "spans"]

Accept = Callable[[str, int, int], bool]
"""Tells whether a match in a form of a text, from start to end, counts."""

_ROUNDS: Final = 32


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A found piece of a string; offsets are code points of the original."""

    pointer: str
    """The JSON Pointer of the string; empty for a text."""
    start: int
    end: int
    entity: str
    """What it was found to be, such as `TERM`."""


def spans(
    ids: frozenset[int], content: Content, *, entity: str, accept: Accept | None = None
) -> list[Span]:
    """Find every place of some patterns: with these pieces replaced, none is found any more.

    Args:
        ids: The patterns.
        content: Where to search.
        entity: What the pieces are.
        accept: Which matches count; omitted: all.

    Raises:
        CheckError: A pattern is found in a key, which cannot be replaced; or the search failed.
    """
    if content.hits.isdisjoint(ids) and content.scanner.backtracking.isdisjoint(ids):
        return []
    found: set[Span] = set()
    for pointer, text, is_key in content.texts:
        pieces = _pieces(ids, text, accept)
        if pieces and is_key:
            raise CheckError("a key cannot be redacted")
        found.update(Span(pointer, start, end, entity) for start, end in pieces)
    return sorted(found)


def confirms(number: int, content: Content, accept: Accept) -> bool:
    """Tell whether a match of a pattern counts in any form of any text.

    Raises:
        CheckError: The search failed.
    """
    caseless = number in content.scanner.caseless
    return any(
        accept(form, match.start(), match.end())
        for _, text, _ in content.texts
        if number in text.hits or number in content.scanner.backtracking
        for form in text.forms(caseless=caseless)
        for match in content.scanner.find(number, form)
    )


def _pieces(ids: frozenset[int], text: Text, accept: Accept | None) -> list[tuple[int, int]]:
    """Find the pieces of one string that patterns cover, merged, from left to right."""
    scanner = text.scanner
    covered: list[tuple[int, int]] = []
    rest, left = _without(text.raw, covered), text
    for _ in range(_ROUNDS):
        sought = sorted(ids & (left.hits | scanner.backtracking))
        new = _found(sought, rest, scanner, accept) if sought else []
        if not new:
            return covered
        covered = _merge([*covered, *new])
        # A word that was part of a longer one may stand alone now.
        rest = _without(text.raw, covered)
        left = Text(rest.text, scanner)
    raise CheckError("the pattern is found again and again")


def _found(
    numbers: Sequence[int], rest: Mapped, scanner: Scanner, accept: Accept | None
) -> list[tuple[int, int]]:
    """Find patterns in all forms of what is left of a text."""
    forms = [Mapped(rest.text, _identity(rest.text), _identity(rest.text, 1))]
    # The maps are made a character at a time: only where there is a disguise to lead back from.
    bare = skeleton(rest.text)
    if bare != rest.text:
        forms.append(map_skeleton(rest.text))
    folded = []
    if not scanner.caseless.isdisjoint(numbers) and not bare.replace(GONE, "").isascii():
        folded.append(map_folded(rest.text))
    found = []
    for number in numbers:
        for form in (*forms, *folded) if number in scanner.caseless else forms:
            for match in scanner.find(number, form.text):
                start, end = match.start(), match.end()
                if start == end or form.text[start:end].strip(GONE) == "":
                    continue
                if accept is None or accept(form.text, start, end):
                    found.append(rest.original(*form.original(start, end)))
    return found


def _without(raw: str, covered: list[tuple[int, int]]) -> Mapped:
    """Replace what was found by one character a piece."""
    made: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for start, end in [*covered, (len(raw), len(raw))]:
        made.append(raw[at:start])
        starts.extend(range(at, start))
        ends.extend(range(at + 1, start + 1))
        if start < end:
            made.append(GONE)
            starts.append(start)
            ends.append(end)
        at = end
    return Mapped("".join(made), starts, ends)


def _identity(text: str, shift: int = 0) -> list[int]:
    return list(range(shift, len(text) + shift))


def _merge(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
