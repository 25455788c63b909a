"""Where a part of an expression stands in a policy file."""

from policy_engine.errors import Location
from policy_engine.source import Document, Path

__all__ = ["place_in"]


def place_in(document: Document, path: Path, text: str, offset: int) -> Location:
    """Locate a part of a text that may be quoted, folded or spread over lines.

    Args:
        document: The file.
        path: The text's place in it.
        text: What the file says there.
        offset: Where the part starts in the text.

    Returns:
        The place of the part, or of the whole where the two cannot be aligned.
    """
    start = document.at(path)
    number, line = start.line, document.line(start.line)
    column = start.column - 1
    if line[column : column + 1] in ("|", ">"):
        number, column = number + 1, 0
        line = document.line(number)
    elif line[column : column + 1] in ("'", '"'):
        column += 1
    last = document.text.count("\n") + 1
    wanted = "".join(text[: offset + 1].split())
    for i, character in enumerate(wanted):
        found = line.find(character, column)
        while found < 0 and number < last:
            number, column = number + 1, 0
            line = document.line(number)
            found = line.find(character)
        if found < 0:
            return start
        if i == len(wanted) - 1:
            return Location(start.path, number, found + 1)
        column = found + 1
    return start
