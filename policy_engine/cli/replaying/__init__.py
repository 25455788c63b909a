"""From the lines of a file to decisions in order, with the state between them."""

from policy_engine.cli.replaying.lines import LineError, read_lines
from policy_engine.cli.replaying.names import Names
from policy_engine.cli.replaying.output import DecisionFile
from policy_engine.cli.replaying.step import Expected, Line, Step, read_line

__all__ = [
    "DecisionFile",
    "Expected",
    "Line",
    "LineError",
    "Names",
    "Step",
    "read_line",
    "read_lines",
]
