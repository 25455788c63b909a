"""Where a piece of an expression stands in the file: folded, escaped or over several lines."""

import re
from typing import Final

from policy_engine.errors import Location
from policy_engine.source import Document

__all__ = ["piece_at"]

_HEADER: Final = re.compile(r"[|>][-+0-9]*[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n)")


def piece_at(
    document: Document, start: Location, text: str, part: tuple[int, int]
) -> tuple[Location, int, str] | None:
    """Return where a piece of a text stands, its length and its line; None where it is not found.

    Args:
        document: The file.
        start: Where the text starts in it, with its quotes or the `|` of a block.
        text: The text as it was read.
        part: The ends of the piece in that text.
    """
    places = _places(document.text, document.offset(start.line, start.column), text)
    inside = [places[i] for i in range(*part) if i in places]
    if not inside:
        return None
    first, last = inside[0], inside[-1]
    number, column = document.place(first)
    line = document.line(number)
    length = min(last - first + 1, len(line.rstrip()) - column + 1)
    return Location(start.path, number, column), max(1, length), line


def _places(source: str, at: int, text: str) -> dict[int, int]:
    """Return where each character of a text stands; nothing where the file reads otherwise."""
    header = _HEADER.match(source, at)
    quote = source[at : at + 1] if source[at : at + 1] in {"'", '"'} else ""
    at = header.end() if header is not None else at + len(quote)
    places: dict[int, int] = {}
    for index, character in enumerate(text):
        if character.isspace():
            continue
        while source[at : at + 1].isspace():
            at += 1
        # `''` stands for a quote, and a backslash for what follows it
        escaped = (quote == '"' and source[at : at + 1] == "\\") or (quote == character == "'")
        if source[at + escaped : at + escaped + 1] != character:
            return {}
        places[index] = at
        at += 1 + escaped
    return places
