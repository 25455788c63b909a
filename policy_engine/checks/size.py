r"""How long a text may be.

What it does:
    Breaks when a text has more characters, bytes or lines than it may. A structured value is
    measured as canonical JSON: sorted keys, no spaces.

Why:
    A long text costs tokens, hides instructions and slows down every other check.

Options (defaults):
    max_chars (none): the most code points.
    max_bytes (none): the most bytes in UTF-8.
    max_lines (none): the most lines.
    At least one of them.

Passes:
    - {size: {max_chars: 5}, text: hello}
    - {size: {max_bytes: 4}, text: éé}
    - {size: {max_lines: 2}, text: "one\ntwo"}
    - {size: {max_chars: 7}, text: {a: 1}}

Fails:
    - {size: {max_chars: 4}, text: hello}
    - {size: {max_bytes: 3}, text: éé}
    - {size: {max_lines: 1}, text: "one\ntwo"}
    - {size: {max_chars: 6}, text: {a: 1}}
"""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from policy_engine.checks.kind import CheckKind, OptionFault, OptionFaults, Options, refuse_unread
from policy_engine.text import Content, Patterns, Span

__all__ = ["SIZE", "Size", "SizeOptions"]

Limit = Annotated[int, Field(strict=True, ge=1)]


class SizeOptions(Options):
    """How long a text may be."""

    max_chars: Limit | None = Field(None, description="The most characters (code points).")
    max_bytes: Limit | None = Field(None, description="The most bytes in UTF-8.")
    max_lines: Limit | None = Field(None, description="The most lines.")


@dataclass(frozen=True, slots=True)
class Size:
    """Breaks when a text is too long."""

    max_chars: int | None
    max_bytes: int | None
    max_lines: int | None
    kind: str = "size"
    entity: str = "TEXT"
    ids: frozenset[int] = frozenset()

    def breaks(self, content: Content, *, unread_allowed: bool = False) -> str | None:
        """Name the limit that a text exceeds."""
        if content.value is None:
            return None
        refuse_unread(content, allowed=unread_allowed)
        text = content.canonical
        if self.max_chars is not None and len(text) > self.max_chars:
            return "size.max_chars"
        if self.max_bytes is not None and _bytes(text) > self.max_bytes:
            return "size.max_bytes"
        if self.max_lines is not None and len(text.splitlines()) > self.max_lines:
            return "size.max_lines"
        return None

    def spans(self, content: Content) -> list[Span]:  # noqa: ARG002 - it finds none
        """Find no pieces: no part of a long text is the culprit."""
        return []


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _build(options: SizeOptions, patterns: Patterns) -> Size:  # noqa: ARG001 - it needs none
    if options.max_chars is None and options.max_bytes is None and options.max_lines is None:
        hint = 'give "max_chars", "max_bytes" or "max_lines"'
        raise OptionFaults([OptionFault((), '"size" without a limit lets everything pass', hint)])
    return Size(options.max_chars, options.max_bytes, options.max_lines)


SIZE: Final = CheckKind("size", SizeOptions, finds_spans=False, manual=__doc__, build=_build)
