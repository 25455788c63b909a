"""What lint found, as annotations and a step summary of GitHub Actions."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from policy_engine.errors import Fault
from policy_engine.lint import Finding, Severity
from policy_engine.lint.outcome import Outcome
from policy_engine.report.findings import witness_text
from policy_engine.report.printable import printable
from policy_engine.report.words import counted

__all__ = ["annotations", "step_summary"]

_WORD: Final[Mapping[Severity, str]] = MappingProxyType(
    {"error": "error", "warning": "warning", "info": "notice"}
)


def annotations(outcome: Outcome) -> Iterator[str]:
    """Return one workflow command for each fault and finding."""
    for fault in outcome.faults:
        yield _command("error", fault, _message(fault))
    for finding in outcome.findings:
        yield _command(_WORD[finding.severity], finding, _message(finding))


def _message(one: Fault | Finding) -> str:
    parts = [one.message]
    if isinstance(one, Finding) and one.witness is not None:
        parts.append(f"shown by: {witness_text(one.witness)}: {one.witness.shows}")
    if one.hint:
        parts.append(f"hint: {one.hint}")
    return "\n".join(map(printable, parts))


def _command(word: str, one: Fault | Finding, text: str) -> str:
    place = one.location
    properties = {
        "file": place.path,
        "line": str(place.line),
        "col": str(place.column),
        "endColumn": str(place.column + max(1, one.length)),
        "title": f"policy-engine {one.code}",
    }
    given = ",".join(f"{key}={_property(printable(value))}" for key, value in properties.items())
    return f"::{word} {given}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def step_summary(outcome: Outcome) -> str:
    """Return the summary as Markdown."""
    title = "## policy-engine lint\n\n"
    sets = f"{counted(outcome.policies, 'policy', 'policies')}, {counted(outcome.rules, 'rule')}"
    if not outcome.faults and not outcome.findings:
        return f"{title}{sets}: no findings.\n"
    rows = ["| where | code | | what |", "|---|---|---|---|"]
    rows += [_row(one, "error") for one in outcome.faults]
    rows += [_row(one, one.severity) for one in outcome.findings]
    counts = [counted(len(outcome.findings), "finding")]
    if outcome.faults:
        counts.insert(0, counted(len(outcome.faults), "fault"))
    return f"{title}{sets}: {', '.join(counts)}.\n\n" + "\n".join(rows) + "\n"


def _row(one: Fault | Finding, severity: str) -> str:
    message = one.message if one.hint is None else f"{one.message} ({one.hint})"
    return f"| `{_cell(str(one.location))}` | {one.code} | {severity} | {_cell(message)} |"


def _cell(text: str) -> str:
    plain = printable(text).replace("\\", "\\\\").replace("|", "\\|").replace("`", "'")
    return plain.replace("<", "&lt;").replace(">", "&gt;")
