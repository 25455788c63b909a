"""Comments that silence a finding: `# lint: ignore[PE207] why it is right here`."""

import re
from dataclasses import dataclass
from typing import Final

from policy_engine.lint.finding import Edit, Finding
from policy_engine.source import Document

__all__ = ["Suppression", "suppressions"]

_COMMENT: Final = re.compile(
    r"(?:^|(?<=\s))#\s*lint:\s*(ignore(?:-file)?)(?![\w-])\s*(?:\[([^\]\n]*)\])?[ \t]*(.*?)[ \t]*$"
)
_BREAK: Final = re.compile(r"\r\n|\r|\n")


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

    def covers(self, finding: Finding) -> bool:
        """Whether it is about a finding."""
        place = finding.location
        return (
            finding.code in self.codes
            and place.path == self.path
            and any(self.first <= line <= self.last for line in (place.line, finding.begins or 0))
        )


def suppressions(document: Document) -> list[Suppression]:
    """Read the comments of a file.

    One behind something is about its line; one on a line of its own is about the part of the
    policy that starts in the next line; `ignore-file` is about the whole file.
    """
    if "lint:" not in document.text:
        return []
    found = []
    lines = _BREAK.split(document.text)
    starts = [0, *(match.end() for match in _BREAK.finditer(document.text))]
    for index, line in enumerate(lines):
        match = _COMMENT.search(line)
        if match is None:
            continue
        before = line[: match.start()]
        first, last = _scope(lines, index, match[1], alone=not before.strip())
        start, end = starts[index] + len(before.rstrip()), starts[index] + len(line)
        if not before.strip():
            start, end = starts[index], starts[index + 1] if index + 1 < len(starts) else end
        found.append(
            Suppression(
                document.path,
                tuple(code.strip() for code in (match[2] or "").split(",") if code.strip()),
                match[3],
                first,
                last,
                index + 1,
                match.start() + 1,
                len(line.rstrip()) - match.start(),
                line,
                Edit(document.path, start, end, ""),
            )
        )
    return found


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
