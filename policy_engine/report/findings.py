"""What lint found, as text with carets and as versioned JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from rich.text import Text

from policy_engine.lint import SEVERITIES, Finding, Severity, Witness
from policy_engine.lint.outcome import Outcome
from policy_engine.report.caret import caret_lines
from policy_engine.report.faults import fault_lines, faults_to_wire
from policy_engine.report.printable import clipped, printable
from policy_engine.report.words import counted

__all__ = ["finding_lines", "finding_to_wire", "outcome_to_wire", "witness_to_wire"]

VERSION: Final = 1
_COLOR: Final[Mapping[Severity, str]] = MappingProxyType(
    {"error": "red", "warning": "yellow", "info": "cyan"}
)


def finding_lines(outcome: Outcome) -> Iterator[Text]:
    """Return the lines that say what was found, where, what shows it, and what to do."""
    if outcome.faults:
        yield from fault_lines(outcome.faults, others=outcome.policies > 0)
        if outcome.findings:
            yield Text("")
    for finding in outcome.findings:
        yield from _finding(finding)
        yield Text("")
    if outcome.findings or not outcome.faults:
        yield _summary(outcome)
    yield from (Text(note, style="dim") for note in _notes(outcome))


def _finding(finding: Finding) -> Iterator[Text]:
    color = _COLOR[finding.severity]
    yield Text.assemble(
        (printable(str(finding.location)), "bold"),
        ": ",
        (finding.severity, color),
        ": ",
        printable(finding.message),
        (f" [{finding.code}]", "dim"),
    )
    if finding.source_line:
        yield from caret_lines(finding.source_line, finding.location, finding.length, color=color)
    if finding.witness is not None:
        yield Text.assemble("  ", ("shown by: ", "magenta"), witness_text(finding.witness))
        yield Text(f"            {printable(finding.witness.shows)}")
    if finding.hint:
        yield Text.assemble("  ", ("hint: ", "cyan"), printable(finding.hint))


def witness_text(witness: Witness) -> str:
    """Write a witness on one line: the part of the request that matters."""
    request = witness.request
    match request.get("stage"):
        case "tool_call" | "tool_result":
            given = json.dumps(_short(request.get("args", {})), ensure_ascii=False)
            text = f"{request.get('tool')} {given}"
        case "handoff":
            text = f"a handoff to {request.get('target')}"
        case stage:
            text = f"{stage} {json.dumps(request.get('text'), ensure_ascii=False)}"
    if witness.labels:
        text += f" in a session labelled {', '.join(witness.labels)}"
    return clipped(text, 200)


def _short(value: Any) -> Any:
    """Return a value in which long lists end early, for reading."""
    if isinstance(value, Mapping):
        return {name: _short(inner) for name, inner in value.items()}
    if not isinstance(value, list):
        return value
    more = [f"… {len(value) - _FEW:,} more"] if len(value) > _MANY else []
    return [*map(_short, value[:_FEW] if more else value), *more]


_FEW: Final = 3
_MANY: Final = 20
"""Lists of more elements end after a few."""


def _summary(outcome: Outcome) -> Text:
    sets = f"{counted(outcome.policies, 'policy', 'policies')}, {counted(outcome.rules, 'rule')}"
    if not outcome.findings:
        return Text.assemble(f"{sets}: ", ("no findings", "green"))
    counts = Counter(one.severity for one in outcome.findings)
    parts = [counted(counts[name], _NOUN[name]) for name in SEVERITIES if counts[name]]
    style = "bold red" if outcome.exit_code else "bold"
    return Text.assemble(f"{sets}: ", (", ".join(parts), style))


_NOUN: Final[Mapping[Severity, str]] = {"error": "error", "warning": "warning", "info": "remark"}


def _notes(outcome: Outcome) -> Iterator[str]:
    if outcome.fixed:
        yield f"{counted(outcome.fixed, 'finding')} fixed"
    if outcome.silenced:
        yield f"{counted(outcome.silenced, 'finding')} silenced by a comment"
    if outcome.known:
        yield f"{counted(outcome.known, 'finding')} known to the baseline"
    if outcome.gone:
        yield f"{counted(outcome.gone, 'finding')} of the baseline gone: write it anew"


def outcome_to_wire(outcome: Outcome) -> dict[str, Any]:
    """Return everything as JSON values."""
    return {
        "version": VERSION,
        "policies": outcome.policies,
        "rules": outcome.rules,
        "faults": faults_to_wire(outcome.faults),
        "findings": [finding_to_wire(one) for one in outcome.findings],
        "silenced": outcome.silenced,
        "known": outcome.known,
    }


def finding_to_wire(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON values."""
    return {
        "file": finding.location.path,
        "line": finding.location.line,
        "column": finding.location.column,
        "length": finding.length,
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "hint": finding.hint,
        "witness": None if finding.witness is None else witness_to_wire(finding.witness),
        "fixable": bool(finding.edits),
    }


def witness_to_wire(witness: Witness) -> dict[str, Any]:
    """Return a witness as JSON values; its request is one that `decide --request` takes."""
    return {
        "request": dict(witness.request),
        "shows": witness.shows,
        "effect": witness.effect,
        "speaks": list(witness.speaks),
        "silent": list(witness.silent),
        "labels": list(witness.labels),
        "calls": dict(witness.calls),
    }
