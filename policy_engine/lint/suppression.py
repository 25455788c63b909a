"""Comments that silence a finding: `# lint: ignore[PE207] why it is right here`."""

import re
from dataclasses import dataclass
from typing import Final

from policy_engine.lint.finding import Edit, Finding
from policy_engine.source import Comment, Document, comments

__all__ = ["Stray", "Suppression", "strays", "suppressions"]

_WORD: Final = re.compile(
    r"(?:^|(?<=\s))#\s*lint:\s*(ignore(?:-file)?)(?![\w-])\s*(?:\[([^\]\n]*)\])?[ \t]*(.*?)[ \t]*$"
)
_STRAY: Final = re.compile(
    r"(?:^|(?<=\s))#\s*(?:lint\s*[:-]\s*(?:ignore|disable|skip|suppress|allow|off|noqa)"
    r"(-[a-z-]+)?|noqa)(?![\w-])\s*[:=]?\s*(?:\[([^\]\n]*)\])?(.*?)[ \t]*$",
    re.IGNORECASE,
)
"""What is meant to silence, here or in other linters."""
_CODE: Final = re.compile(r"\bPE[0-9]{3}\b", re.IGNORECASE)
_BREAK: Final = re.compile(r"\r\n|\r|\n")
_SAID: Final = re.compile(r"[A-Za-z]{2,}|[^\W\d_a-zA-Z]")
_SAYS_NOTHING: Final = frozenset({"todo", "fixme", "xxx", "tbd"})


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment that silences some codes at some lines."""

    path: str
    codes: tuple[str, ...]
    reason: str
    first: int
    """The first line that it is about."""
    last: int
    line: int
    """Where it stands."""
    column: int
    length: int
    source_line: str
    edit: Edit
    """Takes it out of the file."""
    listed: tuple[int, int]
    """Where what stands in its brackets begins and ends in the text."""

    @property
    def says_why(self) -> bool:
        """Whether its reason holds a word, other than that it is still to be written."""
        return any(word.lower() not in _SAYS_NOTHING for word in _SAID.findall(self.reason))

    def covers(self, finding: Finding) -> bool:
        """Whether it is about the place of a finding, and names its code."""
        place = finding.location
        return (
            finding.code in self.codes
            and place.path == self.path
            and any(self.first <= line <= self.last for line in (place.line, finding.begins or 0))
        )


@dataclass(frozen=True, slots=True)
class Stray:
    """A comment that is meant to silence a finding, and is not written so."""

    line: int
    column: int
    length: int
    written: str
    """How it is written."""


def strays(document: Document) -> list[Stray]:
    """Find the comments of a file that name a code in words of other linters, or in capitals."""
    if re.search("lint|noqa", document.text, re.IGNORECASE) is None:
        return []
    found = []
    for comment in comments(document.text):
        match = None if _WORD.search(comment.text) else _STRAY.search(comment.text)
        if match is None:
            continue
        codes = ", ".join(code.upper() for code in _CODE.findall(match[0])) or match[2]
        if codes:
            line, column = document.place(comment.start + match.start())
            word = "ignore-file" if (match[1] or "").lower() == "-file" else "ignore"
            written = f"# lint: {word}[{codes}]"
            found.append(Stray(line, column, len(match[0].rstrip()), written))
    return found


def suppressions(document: Document) -> list[Suppression]:
    """Read the comments of a file; a text that reads like one is none.

    One behind something is about its line; one on a line of its own is about the part of the
    policy that starts in the next line; `ignore-file` is about the whole file.
    """
    if "lint:" not in document.text:
        return []
    return [
        _suppression(document, comment, match)
        for comment in comments(document.text)
        if (match := _WORD.search(comment.text)) is not None
    ]


def _suppression(document: Document, comment: Comment, match: re.Match[str]) -> Suppression:
    lines = _BREAK.split(document.text)
    start = comment.start + match.start()
    number, column = document.place(start)
    line = lines[number - 1]
    alone = not line[: column - 1 - match.start()].strip()
    first, last = _scope(lines, number - 1, match[1], alone=alone)
    begin = comment.start + match.start(2)
    return Suppression(
        document.path,
        tuple(code.strip() for code in (match[2] or "").split(",") if code.strip()),
        match[3],
        first,
        last,
        number,
        column,
        len(line.rstrip()) - column + 1,
        line,
        _without(document, comment, start, alone=alone and start == comment.start),
        (begin, begin + len(match[2] or "")),
    )


def _without(document: Document, comment: Comment, start: int, *, alone: bool) -> Edit:
    """Return what takes a comment out, and its line with it where it holds nothing else."""
    text = document.text
    if alone and _ends_a_block(text, comment):
        return Edit(document.path, start + 1, comment.end, "")
    if alone:
        after = _BREAK.match(text, comment.end)
        first = start - document.place(start)[1] + 1
        return Edit(document.path, first, comment.end if after is None else after.end(), "")
    return Edit(document.path, len(text[:start].rstrip()), comment.end, "")


def _ends_a_block(text: str, comment: Comment) -> bool:
    """Whether what stands below would belong to the text above, were it not for the comment."""
    if comment.block is None:
        return False
    below = _BREAK.sub("\n", text[comment.end :]).lstrip(" \n")
    return "+" in comment.block or below.startswith("#")


def _scope(lines: list[str], index: int, word: str, *, alone: bool) -> tuple[int, int]:
    if word == "ignore-file":
        return 1, len(lines)
    if not alone:
        return index + 1, index + 1
    at = index + 1
    while at < len(lines) and (not lines[at].strip() or lines[at].lstrip().startswith("#")):
        at += 1
    if at == len(lines):
        return at + 1, at
    depth = _indent(lines[at])
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > depth):
        end += 1
    return at + 1, end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
