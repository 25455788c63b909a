"""A line of a policy with a caret under the place that is meant."""

from collections.abc import Iterator

from rich.text import Text

from policy_engine.errors import Location
from policy_engine.report.printable import printable

__all__ = ["MAX_LINE", "caret_lines"]

MAX_LINE = 160
"""How much of a line is shown."""


def caret_lines(
    line: str, location: Location, length: int = 1, indent: str = "  ", color: str = "red"
) -> Iterator[Text]:
    """Return the source line and the caret line, cut round the place where the line is long."""
    start = max(0, location.column - 1)
    first = max(0, min(start - MAX_LINE // 2, len(line) - MAX_LINE))
    shown = line[first : first + MAX_LINE].replace("\t", " ")
    before = printable(shown[: start - first])
    marked = printable(shown[start - first : start - first + max(1, length)])
    after = printable(shown[start - first + max(1, length) :])
    lead, trail = ("…" if first else ""), ("…" if first + MAX_LINE < len(line) else "")
    number = str(location.line)
    yield Text.assemble(
        indent, (f"{number} | ", "dim"), lead, before, (marked, "bold"), after, trail
    )
    yield Text.assemble(
        indent,
        (f"{' ' * len(number)} | ", "dim"),
        " " * (len(lead) + len(before)),
        ("^" * max(1, len(marked)), color),
    )
