"""What lint found, as annotations and a step summary of GitHub Actions.

An annotation is a workflow command, a line of the output; a summary is Markdown that the step
appends to a file. Both are written from texts that anybody may have put into a policy.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from policy_engine.errors import Fault, Location
from policy_engine.lint import Finding, Severity
from policy_engine.lint.outcome import Outcome
from policy_engine.report.findings import witness_text
from policy_engine.report.printable import printable
from policy_engine.report.rooted import rooted
from policy_engine.report.words import counted

__all__ = ["annotation", "annotations", "cell", "step_summary", "table"]

_MOST: Final = 900_000
"""So many bytes of a table are written: GitHub refuses a summary above one megabyte, whole."""

_WORD: Final[Mapping[Severity, str]] = MappingProxyType(
    {"error": "error", "warning": "warning", "info": "notice"}
)


def annotations(outcome: Outcome) -> Iterator[str]:
    """Return one workflow command for each fault and finding."""
    for fault in outcome.faults:
        yield _annotated("error", fault)
    for finding in outcome.findings:
        yield _annotated(_WORD[finding.severity], finding)


def _annotated(word: str, one: Fault | Finding) -> str:
    parts = [one.message]
    if isinstance(one, Finding) and one.witness is not None:
        parts.append(f"shown by: {witness_text(one.witness)}: {one.witness.shows}")
    if one.hint:
        parts.append(f"hint: {one.hint}")
    return annotation(word, one.location, parts, f"policy-engine {one.code}", one.length)


def annotation(
    word: str, place: Location | None, lines: Iterable[str], title: str, length: int = 1
) -> str:
    """Return a workflow command that annotates a place.

    Args:
        word: `error`, `warning` or `notice`.
        place: What it is about, its file from the root of the repository; None for the whole run.
        lines: What it says.
        title: What stands above it.
        length: How many characters of the line it is about.
    """
    properties = {"title": title}
    if place is not None:
        properties = {
            "file": rooted(place.path) or place.path,
            "line": str(place.line),
            "col": str(place.column),
            "endColumn": str(place.column + max(1, length)),
            **properties,
        }
    given = ",".join(f"{key}={_property(printable(value))}" for key, value in properties.items())
    return f"::{word} {given}::{_data(chr(10).join(map(printable, lines)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def step_summary(outcome: Outcome, verb: str = "lint") -> str:
    """Return the summary as Markdown."""
    title = f"## policy-engine {verb}\n\n"
    sets = f"{counted(outcome.policies, 'policy', 'policies')}, {counted(outcome.rules, 'rule')}"
    if not outcome.faults and not outcome.findings:
        return f"{title}{sets}: no findings.\n"
    rows = [*(_row(one, "error") for one in outcome.faults)]
    rows += [_row(one, one.severity) for one in outcome.findings]
    counts = [counted(len(outcome.findings), "finding")]
    if outcome.faults:
        counts.insert(0, counted(len(outcome.faults), "fault"))
    head = ("where", "code", "", "what")
    return f"{title}{sets}: {', '.join(counts)}.\n\n{table(head, rows)}"


def _row(one: Fault | Finding, severity: str) -> tuple[str, ...]:
    message = one.message if one.hint is None else f"{one.message} ({one.hint})"
    return f"`{cell(str(one.location))}`", one.code, severity, cell(message)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown; what GitHub would not take is counted and left out."""
    written = [f"| {' | '.join(head)} |\n", f"{'|---' * len(head)}|\n"]
    size, left_out = 0, 0
    for row in rows:
        line = f"| {' | '.join(row)} |\n"
        size += len(line.encode())
        if size > _MOST:
            left_out += 1
        else:
            written.append(line)
    if left_out:
        written.append(f"\nand {counted(left_out, 'row')} more\n")
    return "".join(written)


def cell(text: str) -> str:
    """Return a text as it stands in a cell: no mark-up, no column of its own."""
    plain = printable(text).replace("\\", "\\\\").replace("|", "\\|").replace("`", "'")
    return plain.replace("<", "&lt;").replace(">", "&gt;")
