"""Lint a policy set: ask every rule, place what it found, leave out what is silenced."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from policy_engine.compiler import Compiled
from policy_engine.errors import Location
from policy_engine.lint.aligned import piece_at
from policy_engine.lint.finding import Edit, Finding, Severity
from policy_engine.lint.proof.decided import shown
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.settings import Settings
from policy_engine.lint.subject import Options, Subject
from policy_engine.lint.suppression import Suppression, suppressions
from policy_engine.lint.table import ABOUT_COMMENTS, RULES, UNUSED
from policy_engine.policy.words import nearest
from policy_engine.tools import Tool

__all__ = ["Linted", "lint"]


@dataclass(frozen=True, slots=True)
class Linted:
    """What lint says of a policy set."""

    findings: tuple[Finding, ...]
    """In the order of file, line and column."""
    silenced: int = 0
    """How many findings a comment silences."""


def lint(
    compiled: Compiled,
    *,
    tools: Sequence[Tool] | None = None,
    reviewed: Sequence[Tool] | None = None,
    settings: Settings | None = None,
    today: date | None = None,
    proofs: bool = True,
) -> Linted:
    """Find what a policy set that loads could do better.

    Args:
        compiled: The policy set.
        tools: The tools that there are; without them rules about tools do not look.
        reviewed: The tools as they were reviewed.
        settings: How to judge.
        today: For what has an end; today where omitted.
        proofs: Whether rules that reason about conditions are asked; without, others try plain
            calls alone.
    """
    chosen = settings or Settings()
    known = None if reviewed is None else {tool.name: tool for tool in reviewed}
    day = today or date.today()  # noqa: DTZ011 - the user's own day
    subject = Subject(compiled, tools, Options(chosen.roles, day, known, proofs))
    asked = [
        rule
        for rule in RULES.values()
        if rule.code not in chosen.ignore
        and (rule.persona == "regular" or chosen.persona == "pedantic")
        and (subject.tools is not None or not rule.needs_tools)
        and (known is not None or not rule.needs_reviewed)
        and (proofs or not rule.proves)
    ]
    found: list[Finding] = []
    kept: list[Finding] = []
    for rule in asked:
        for one in rule.find(subject):
            about_a_comment = rule.code in ABOUT_COMMENTS and one.line is not None
            placed = _placed(rule, shown(subject, one), chosen)
            (kept if about_a_comment else found).append(placed)
    comments = [c for loaded in subject.policies for c in suppressions(loaded.document)]
    left = [one for one in found if not any(c.covers(one) for c in comments)]
    silenced = len(found) - len(left)
    kept += left
    if UNUSED.code not in chosen.ignore:
        kept.extend(_unused(comments, found, {rule.code for rule in asked}, chosen))
    unique = {(one.order, one.length): one for one in kept}
    return Linted(tuple(sorted(unique.values(), key=lambda one: one.order)), silenced)


def _placed(rule: LintRule, found: Found, settings: Settings) -> Finding:
    document = found.policy.document
    fault = document.fault(found.path, rule.code, found.message, on_key=found.on_key)
    place, length, line = fault.location, fault.length, fault.source_line
    if found.line is not None:
        line = document.line(found.line)
        column, length = found.within or (1, max(1, len(line)))
        place = Location(place.path, found.line, column)
    if found.part is not None:
        at = piece_at(document, place, _text_at(found), found.part)
        place, length, line = at or (place, length, line)
    return Finding(
        place,
        rule.code,
        settings.severity.get(rule.code) or found.severity or rule.severity,
        found.message,
        found.hint,
        line,
        length,
        found.witness,
        found.edits,
        fault.location.line if found.part is not None else None,
    )


def _text_at(found: Found) -> str:
    value: object = found.policy.document.data
    for step in found.path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return ""
    return value if isinstance(value, str) else ""


def _unused(
    comments: Sequence[Suppression],
    found: Sequence[Finding],
    asked: set[str],
    settings: Settings,
) -> Iterator[Finding]:
    """Find comments that silence nothing, or not all they name, as far as rules were asked."""
    for comment in comments:
        used = {one.code for one in found if comment.covers(one)}
        idle = [code for code in comment.codes if _is_idle(code, used, asked)]
        if comment.codes and not idle:
            continue
        if not comment.codes:
            edits: tuple[Edit, ...] = ()
            message = "this comment silences nothing: it names no rule"
            hint = "name it: `# lint: ignore[PE202] and why`"
        else:
            edits = tuple(_mended(comment, idle))
            message = f"this comment silences nothing{_why(comment, idle)}"
            hint = _advice(idle)
        is_wrong = not comment.codes or any(_is_wrong(code) for code in idle)
        usual: Severity = "warning" if is_wrong else "info"
        yield Finding(
            Location(comment.path, comment.line, comment.column),
            UNUSED.code,
            settings.severity.get(UNUSED.code, usual),
            message,
            hint,
            comment.source_line,
            comment.length,
            edits=edits,
        )


def _is_idle(code: str, used: set[str], asked: set[str]) -> bool:
    return _is_wrong(code) or (code in asked and code not in used)


def _is_wrong(code: str) -> bool:
    """Whether no comment can silence a code; what PE314 says of `except` one can."""
    return code not in RULES or code in ABOUT_COMMENTS - {"PE314"}


def _why(comment: Suppression, idle: Sequence[str]) -> str:
    wrong = next(filter(_is_wrong, idle), None)
    if wrong in RULES:
        return f": {wrong} is about comments, and none silences it"
    if wrong is not None:
        return f': there is no rule "{wrong}"'
    if len(idle) == len(comment.codes):
        return ": there is no such finding here"
    return f" for {', '.join(idle)}: there is no such finding here"


def _advice(idle: Sequence[str]) -> str:
    unknown = next((code for code in idle if code not in RULES), None)
    if unknown is None:
        return "take it out; `--fix` does"
    codes = {name.lower(): rule.code for rule in RULES.values() for name in (rule.code, rule.slug)}
    slugs = [rule.slug for rule in RULES.values()]
    near = codes.get(unknown.lower()) or codes.get(nearest(unknown, slugs) or "")
    if near is None:
        return "name codes, such as `# lint: ignore[PE202] and why`, or take it out"
    return f'did you mean "{near}"?'


def _mended(comment: Suppression, idle: Sequence[str]) -> Iterator[Edit]:
    """Yield what takes out codes that silence nothing; one that there is not is to be mended."""
    known = [code for code in idle if code in RULES]
    if len(known) == len(comment.codes):
        yield comment.edit
    elif known:
        yield _left(comment, known)


def _left(comment: Suppression, idle: Sequence[str]) -> Edit:
    """Return what takes idle codes out of a comment."""
    kept = [code for code in dict.fromkeys(comment.codes) if code not in idle]
    return Edit(comment.path, *comment.listed, ", ".join(kept))
