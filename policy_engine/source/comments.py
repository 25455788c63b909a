"""The comments of a policy file: what stands behind a `#` that belongs to no value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from yaml import CSafeLoader, ScalarEvent, StreamEndEvent

__all__ = ["Comment", "comments"]

_COMMENT: Final = re.compile(r"#[^\r\n]*")
_BLOCKS: Final = frozenset("|>")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, from its `#` to the end of its line."""

    start: int
    """Where it starts in the text, in code points."""
    text: str
    block: str | None = None
    """The header of the block of text that ends above it, such as `|+`; None where none does."""

    @property
    def end(self) -> int:
        """Where its line ends."""
        return self.start + len(self.text)


@lru_cache(maxsize=64)
def comments(text: str) -> tuple[Comment, ...]:
    """Return the comments of a text that is YAML, in order; `#` within a value is none.

    Args:
        text: The text of a file that was read.
    """
    return tuple(_comments(text))


def _comments(text: str) -> Iterator[Comment]:
    at, block = 0, None
    loader = CSafeLoader(text)
    while type(event := loader.get_event()) is not StreamEndEvent:
        if type(event) is not ScalarEvent or event.start_mark is None or event.end_mark is None:
            continue
        start = event.start_mark.index
        yield from _between(text, at, start, block)
        at, block = event.end_mark.index, None
        if event.style in _BLOCKS:
            header = re.compile(r"[^\r\n]*").match(text, start)
            assert header is not None  # noqa: S101 - it matches anything
            yield from _between(text, start, header.end(), None)
            block = header[0].partition("#")[0].strip()
    yield from _between(text, at, len(text), block)


def _between(text: str, start: int, end: int, block: str | None) -> Iterator[Comment]:
    """Go through the comments of what holds no value."""
    for match in _COMMENT.finditer(text, start, end):
        above = block if not text[start : match.start()].partition("#")[0].strip() else None
        yield Comment(match.start(), match[0], above)
