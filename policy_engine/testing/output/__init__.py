"""What a run of tests came to, as text, JSON, JUnit and GitHub lines."""

from policy_engine.testing.output.github import failure_annotations, markdown_summary
from policy_engine.testing.output.junit import faults_to_junit, to_junit
from policy_engine.testing.output.lines import summary_lines
from policy_engine.testing.output.wire import to_wire

__all__ = [
    "failure_annotations",
    "faults_to_junit",
    "markdown_summary",
    "summary_lines",
    "to_junit",
    "to_wire",
]
