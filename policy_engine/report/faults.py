"""Why policies do not load, as text and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from policy_engine.errors import Fault
from policy_engine.report.caret import caret_lines
from policy_engine.report.printable import printable
from policy_engine.report.words import counted

__all__ = ["fault_lines", "faults_to_wire"]


def fault_lines(faults: Sequence[Fault], *, others: bool = False) -> Iterator[Text]:
    """Return the lines that say what is wrong, where, and what to do.

    Args:
        faults: What is wrong.
        others: Whether other policy sets were loaded beside.
    """
    for fault in faults:
        yield Text.assemble(
            (printable(str(fault.location)), "bold"),
            ": ",
            (printable(fault.message), "red"),
            (f" [{fault.code}]", "dim"),
        )
        if fault.source_line:
            yield from caret_lines(fault.source_line, fault.location, fault.length)
        if fault.hint:
            yield Text.assemble("  ", ("hint: ", "cyan"), printable(fault.hint))
        yield Text("")
    what = "no policy of its set was loaded" if others else "no policy was loaded"
    yield Text.assemble((counted(len(faults), "fault"), "bold red"), f": {what}")


def faults_to_wire(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Return the faults as JSON values."""
    return [
        {
            "file": fault.location.path,
            "line": fault.location.line,
            "column": fault.location.column,
            "code": fault.code,
            "message": fault.message,
            "hint": fault.hint,
        }
        for fault in faults
    ]
