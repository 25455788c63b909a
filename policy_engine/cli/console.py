"""The two consoles: plain in a pipe, coloured on a terminal."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console, RenderableType
from rich.text import Text

from policy_engine.errors import PolicyError
from policy_engine.report.faults import fault_lines

__all__ = ["print_faults", "print_lines"]

_PIPE_WIDTH: Final = 240


def print_lines(lines: Iterable[RenderableType], *, error: bool = False) -> None:
    """Print lines and tables; lines are never wrapped."""
    console = Console(stderr=error, highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        for line in lines:
            console.print(line, soft_wrap=isinstance(line, Text))
        return
    console.width = _PIPE_WIDTH
    for line in lines:
        with console.capture() as captured:
            console.print(line, soft_wrap=isinstance(line, Text))
        rows = captured.get().split("\n")[:-1]
        console.file.write("".join(f"{row.rstrip()}\n" for row in rows))


def print_faults(error: PolicyError) -> None:
    """Say on the standard error why policies do not load."""
    print_lines(fault_lines(error.faults), error=True)
