"""How parts of conditions are written, and where in a policy they stand."""

import json
import re
from typing import Final

from policy_engine.cel.nodes import And, Node, Or, children
from policy_engine.errors import Location
from policy_engine.source import Document, Path

__all__ = ["changed_at", "located", "quoted", "shown"]

_LONGEST: Final = 60
_QUOTED: Final = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])*'", re.DOTALL)
_WORD: Final = re.compile(r"\S+")


def quoted(value: object) -> str:
    """Return how a constant is written, such as "prod" or 500."""
    plain = isinstance(value, str | int | float | None)
    return json.dumps(value, ensure_ascii=False) if plain else str(value)


def shown(node: Node, text: str) -> str:
    """Return how a part of a condition is written, in one line and shortened."""
    start, end = _with_brackets(node, text)
    written = " ".join(text[start:end].split())
    if len(written) <= _LONGEST:
        return written
    return f"{written[: _LONGEST // 2]}…{written[-_LONGEST // 2 + 1 :]}"


def _with_brackets(node: Node, text: str) -> tuple[int, int]:
    """Return where a part stands, with the brackets about its first and its last operand."""
    start, end = node.start, node.end
    unopened = unclosed = 0
    for sign in _QUOTED.sub("", text[start:end]):
        if sign == "(":
            unclosed += 1
        elif sign == ")" and unclosed:
            unclosed -= 1
        elif sign == ")":
            unopened += 1
    while unclosed and text[end:].lstrip().startswith(")"):
        end = text.index(")", end) + 1
        unclosed -= 1
    while unopened and text[:start].rstrip().endswith("("):
        start = text.rindex("(", 0, start)
        unopened -= 1
    return start, end


def changed_at(before: Node, after: Node) -> int:
    """Return where in its text a condition is changed, in code points."""
    mine = children(before)
    if isinstance(before, And | Or):
        kept = children(after) if isinstance(after, type(before)) else (after,)
        if len(kept) < len(mine):
            gone = (one for one in mine if one not in kept)
            return next(gone, before).start
    elif type(before) is not type(after):
        return before.start
    its = children(after)
    if len(mine) == len(its):
        changed = [(a, b) for a, b in zip(mine, its, strict=True) if a != b]
        if len(changed) == 1:
            return changed_at(*changed[0])
    return before.start


def located(document: Document, path: Path, text: str, offset: int) -> Location:
    """Locate a character of an expression; where that is not clear, the expression.

    Args:
        document: What the policy was read from.
        path: The place of the expression.
        text: The expression, as YAML read it.
        offset: Which of its characters.
    """
    start = document.at(path)
    inside = document.line(start.line).find(text, start.column - 1)
    if inside >= 0:
        return Location(start.path, start.line, inside + offset + 1)
    found = _folded(document, start, text, offset)
    return start if found is None else found


def _folded(document: Document, start: Location, text: str, offset: int) -> Location | None:
    """Locate a character of a text of several lines by counting words."""
    number, line = start.line, document.line(start.line)[start.column - 1 :]
    column = start.column
    if line[:1] in ("|", ">"):
        number, line, column = number + 1, document.line(number + 1), 1
    for word in _WORD.finditer(text):
        found = _WORD.search(line)
        while found is None:
            number, line, column = number + 1, document.line(number + 1), 1
            if number > start.line + text.count(" ") + text.count("\n") + 2:
                return None
            found = _WORD.search(line)
        if found[0] != word[0]:
            return None
        if offset < word.end():
            return Location(start.path, number, column + found.start() + offset - word.start())
        column, line = column + found.end(), line[found.end() :]
    return None
