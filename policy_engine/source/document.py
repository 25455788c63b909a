"""A policy file: its data, and the place of every key and value."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias

from policy_engine.errors import Fault, Location

__all__ = ["Document", "Listed", "Mapped", "Mark", "Marked", "Path", "fault_at", "fault_at_offset"]

Path: TypeAlias = tuple[str | int, ...]
"""Keys and positions that lead into a document; `()` is the document itself."""

_BREAK: Final = re.compile(r"\r\n|\r|\n")
_MAX_LINE: Final = 400
"""A longer line is not shown with a fault."""


class Mark(Protocol):
    """A place as the parser counts: from 0."""

    @property
    def line(self) -> int:
        """The line."""

    @property
    def column(self) -> int:
        """The column, in code points."""


class Marked(Protocol):
    """A key or value and its two ends."""

    @property
    def start_mark(self) -> Mark:
        """Where it starts."""

    @property
    def end_mark(self) -> Mark:
        """Where what follows it starts."""


class Mapped:
    """The marks of a mapping and of its keys and values."""

    __slots__ = ("end_mark", "entries", "start_mark")

    def __init__(self, start: Mark, end: Mark, entries: dict[str, tuple[Marked, Marked]]) -> None:
        self.start_mark = start
        self.end_mark = end
        self.entries = entries


class Listed:
    """The marks of a list and of its items."""

    __slots__ = ("end_mark", "items", "start_mark")

    def __init__(self, start: Mark, end: Mark, items: list[Marked]) -> None:
        self.start_mark = start
        self.end_mark = end
        self.items = items


@lru_cache(maxsize=4)
def _lines(text: str) -> list[str]:
    return _BREAK.split(text)


@lru_cache(maxsize=4)
def _starts(text: str) -> list[int]:
    return [0, *(match.end() for match in _BREAK.finditer(text))]


def fault_at(
    path: str, text: str, marked: Marked, code: str, message: str, hint: str | None = None
) -> Fault:
    """Make a fault of what stands between two marks of a text."""
    start, end = marked.start_mark, marked.end_mark
    lines = _lines(text)
    line = lines[start.line] if start.line < len(lines) else ""
    if end.line == start.line:
        length = end.column - start.column
    elif isinstance(marked, Mapped | Listed) or line[start.column : start.column + 1] in "|>":
        length = 1
    else:
        length = len(line.rstrip()) - start.column
    return Fault(
        Location(path, start.line + 1, start.column + 1),
        code,
        message,
        hint,
        line if len(line) <= _MAX_LINE else "",
        max(1, length),
    )


def fault_at_offset(path: str, text: str, offset: int, code: str, message: str, hint: str) -> Fault:
    """Make a fault of one character of a text."""
    breaks = list(_BREAK.finditer(text, 0, offset))
    column = offset - (breaks[-1].end() if breaks else 0)
    line = _BREAK.split(text[offset - column : offset + _MAX_LINE + 1], maxsplit=1)[0]
    shown = "".join(character if character.isprintable() else " " for character in line)
    location = Location(path, len(breaks) + 1, column + 1)
    return Fault(location, code, message, hint, shown if len(shown) <= _MAX_LINE else "")


@dataclass(frozen=True, slots=True)
class Document:
    """A file, read: plain data, and where each part of it stands."""

    path: str
    text: str
    data: dict[str, Any]
    """Mappings, lists, strings, numbers, true, false and null; treat it as read-only."""
    _root: Marked = field(repr=False, compare=False)

    @property
    def line_end(self) -> str:
        """How its first line ends, and with it any that is added."""
        match = _BREAK.search(self.text)
        return "\n" if match is None else match[0]

    def at(self, path: Path) -> Location:
        """Locate a value; where there is none, the nearest that holds it."""
        return self._location(self._find(path)[1])

    def key_at(self, path: Path) -> Location:
        """Locate the key of a value; where there is none, what `at` locates."""
        return self._location(self._key(path))

    def line(self, number: int) -> str:
        """Return a line by its number, which counts from 1."""
        lines = _lines(self.text)
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def offset(self, line: int, column: int) -> int:
        """Return where a place stands in the text; lines and columns count from 1."""
        starts = _starts(self.text)
        return starts[min(line, len(starts)) - 1] + column - 1

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of a character of the text, counted from 1."""
        starts = _starts(self.text)
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def fault(
        self,
        path: Path,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        on_key: bool = False,
    ) -> Fault:
        """Make a fault of a value, or with `on_key` of its key."""
        marked = self._key(path) if on_key else self._find(path)[1]
        return fault_at(self.path, self.text, marked, code, message, hint)

    def without(self, paths: Iterable[Path]) -> "Document":
        """Return the document without some of its parts; the places of the rest stay theirs."""
        cuts = [path for path in paths if path]
        data, root = _without(self.data, self._root, cuts)
        return Document(self.path, self.text, data, root)

    def renamed(self, names: Mapping[Path, str]) -> "Document":
        """Return the document with other names for some keys, which stay where they are."""
        data, root = self.data, self._root
        for path, name in names.items():
            data, root = _renamed(data, root, path, name)
        return Document(self.path, self.text, data, root)

    def _location(self, marked: Marked) -> Location:
        return Location(self.path, marked.start_mark.line + 1, marked.start_mark.column + 1)

    def _key(self, path: Path) -> Marked:
        key, value = self._find(path)
        return value if key is None else key

    def _find(self, path: Path) -> tuple[Marked | None, Marked]:
        key: Marked | None = None
        value = self._root
        for step in path:
            if isinstance(value, Mapped) and (entry := value.entries.get(str(step))) is not None:
                key, value = entry
            elif (
                isinstance(value, Listed) and isinstance(step, int) and 0 <= step < len(value.items)
            ):
                key, value = None, value.items[step]
            else:
                return None, value
        return key, value


def _renamed(data: Any, marked: Marked, path: Path, name: str) -> tuple[Any, Marked]:
    step, rest = path[0], path[1:]
    if isinstance(marked, Mapped):
        key, value = marked.entries[str(step)]
        entries = dict(marked.entries)
        if not rest:
            del entries[str(step)]
            entries[name] = (key, value)
            others = {other: item for other, item in data.items() if other != step}
            return {**others, name: data[step]}, Mapped(marked.start_mark, marked.end_mark, entries)
        inner, kept = _renamed(data[step], value, rest, name)
        entries[str(step)] = (key, kept)
        return {**data, step: inner}, Mapped(marked.start_mark, marked.end_mark, entries)
    if isinstance(marked, Listed) and isinstance(step, int):
        inner, kept = _renamed(data[step], marked.items[step], rest, name)
        values, items = list(data), list(marked.items)
        values[step], items[step] = inner, kept
        return values, Listed(marked.start_mark, marked.end_mark, items)
    return data, marked


def _without(data: Any, marked: Marked, cuts: list[Path]) -> tuple[Any, Marked]:
    if not cuts:
        return data, marked
    below: dict[str | int, list[Path]] = {}
    for cut in cuts:
        below.setdefault(cut[0], []).append(cut[1:])
    gone = {step for step, rest in below.items() if () in rest}
    if isinstance(marked, Mapped):
        values: dict[str, Any] = {}
        entries: dict[str, tuple[Marked, Marked]] = {}
        for key, (key_mark, value_mark) in marked.entries.items():
            if key not in gone:
                values[key], kept = _without(data[key], value_mark, below.get(key, []))
                entries[key] = (key_mark, kept)
        return values, Mapped(marked.start_mark, marked.end_mark, entries)
    if isinstance(marked, Listed):
        pairs = [
            _without(item, mark, below.get(i, []))
            for i, (item, mark) in enumerate(zip(data, marked.items, strict=True))
            if i not in gone
        ]
        items = [mark for _, mark in pairs]
        return [item for item, _ in pairs], Listed(marked.start_mark, marked.end_mark, items)
    return data, marked
