"""One decision, explained to a reader from compliance."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.text import Text

from policy_engine.decision import (
    CODES,
    ApprovalNeeded,
    ApprovalUse,
    Count,
    Decision,
    Obligation,
    Reason,
    Reservation,
    Timeout,
)
from policy_engine.errors import Location
from policy_engine.report.caret import caret_lines
from policy_engine.report.printable import clipped, printable
from policy_engine.report.source_lines import SourceLines
from policy_engine.report.words import (
    COLOR,
    HEADLINE,
    SPOKE,
    counted,
    duration,
    number,
    subject,
    window,
)

__all__ = ["decision_lines"]

_WORD: Final = re.compile(r"""[\w.*/-]+|"[^"]*"|'[^']*'""")

_Key = tuple[str, tuple[str, ...]]


def decision_lines(
    decision: Decision,
    lines: SourceLines,
    counters: Mapping[_Key, Count],
    conditions: Mapping[str, str],
    missing: Sequence[str],
) -> Iterator[Text]:
    """Return the lines that say what is decided, and why.

    Args:
        decision: What the engine said.
        lines: Where the lines of the policies are read.
        counters: What the counters held, as the decision saw them.
        conditions: What rules ask, by their names.
        missing: What was not given, and how to give it, one sentence each.
    """
    request = decision.asked
    agent = "" if request.agent is None else f", by the agent {request.agent}"
    yield Text.assemble(
        (HEADLINE[decision.effect], f"bold {COLOR[decision.effect]}"),
        f": {clipped(subject(request) + agent, 160)}",
    )
    for reason in sorted(decision.reasons, key=lambda reason: not reason.enforced):
        yield Text("")
        yield from _reason(reason, lines, conditions)
    sections = (
        ("The model is told", [decision.message] if decision.message else []),
        ("What is replaced", list(_redactions(decision))),
        ("For this to hold", [_obligation(item, counters) for item in decision.obligations]),
        ("Afterwards", list(_afterwards(decision))),
        ("If what is only observed were enforced", list(_would(decision))),
        ("What was not given", list(missing)),
    )
    for title, items in sections:
        if items:
            yield Text("")
            yield Text(f"{title}:", style="bold")
            yield from (Text(f"  {printable(item)}") for item in items)
    yield Text("")
    yield Text(f"policies {decision.policy_revision}", style="dim")
    yield Text(f"request  {decision.fingerprint}", style="dim")


def _reason(reason: Reason, lines: SourceLines, conditions: Mapping[str, str]) -> Iterator[Text]:
    spoke = SPOKE[reason.effect]
    color = COLOR[reason.effect]
    if not reason.enforced:
        spoke, color = f"only observed: would be {spoke}", "dim"
    yield Text.assemble("  ", (spoke, color), " ", (printable(reason.rule), "bold"))
    yield Text.assemble(
        f"    {CODES.get(reason.code, 'a rule spoke')} ", (f"[{reason.code}]", "dim")
    )
    condition = conditions.get(reason.rule)
    if condition is not None and reason.code in ("rule.when", "rule.cannot_tell"):
        yield Text(f"    {clipped(condition, 160)}")
    if reason.message:
        yield Text(f"    “{printable(reason.message)}”")
    if reason.location is None:
        return
    yield Text(f"    {printable(str(reason.location))}", style="dim")
    line = lines.at(reason.location)
    if line is not None:
        length = _length(line, reason.location)
        yield from caret_lines(line, reason.location, length, indent="    ", color=color)


def _length(line: str, location: Location) -> int:
    """How long the word is that a location points at."""
    word = _WORD.match(line, location.column - 1)
    return 1 if word is None else len(word[0])


def _redactions(decision: Decision) -> Iterator[str]:
    for item in decision.redactions:
        place = f"{item.pointer}, " if item.pointer else ""
        yield (
            f"{place}characters {item.start + 1} to {item.end} become "
            f"{item.replacement} ({item.rule})"
        )


def _obligation(item: Obligation, counters: Mapping[_Key, Count]) -> str:
    match item:
        case ApprovalNeeded():
            people = counted(item.quorum, "approval")
            return (
                f"it needs {people} from {' or '.join(item.approvers)}, "
                f"valid {duration(item.expires)} ({item.rule})"
            )
        case ApprovalUse():
            return f"it uses up the approval that lifts {item.rule}"
        case Timeout():
            return f"the call is given {duration(item.seconds)}"
        case Reservation():
            return _reservation(item, counters.get((item.limit, item.key), Count(0)))


def _reservation(item: Reservation, count: Count) -> str:
    observed = "" if item.enforced else " (only observed)"
    bound = f"{number(item.max)} {window(item.per, item.timezone)}"
    match item.unit:
        case "calls":
            used = f"{number(count.used + (item.amount or 0))} of {bound}"
            return f"it counts {number(item.amount or 0)} towards {item.limit}: {used}{observed}"
        case "tokens" | "cost_usd":
            unit = "tokens" if item.unit == "tokens" else "USD"
            used = f"{number(count.used)} {unit} used so far of {bound}"
            return f"it counts the reported usage towards {item.limit}: {used}{observed}"
        case unit:
            used = f"{number(count.used)} used before, of {bound}"
            return f"it counts {unit} towards {item.limit}: {used}{observed}"


def _afterwards(decision: Decision) -> Iterator[str]:
    if decision.permitted and decision.labels:
        names = ", ".join(decision.labels)
        noun = "label" if len(decision.labels) == 1 else "labels"
        yield f"once the call has returned, the session carries the {noun} {names}"


def _would(decision: Decision) -> Iterator[str]:
    if decision.would != decision.effect:
        yield HEADLINE[decision.would].lower()
