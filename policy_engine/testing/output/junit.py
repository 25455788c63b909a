"""What a run of tests came to, in the XML that CI systems read since JUnit.

What no test covers or notices is a case that is skipped; a minimum that is asked for is a case of
its own, which fails where it is missed and names all that is missing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal
from xml.sax.saxutils import escape, quoteattr

from rich.text import Text

from policy_engine.errors import Fault
from policy_engine.testing.coverage import Covered
from policy_engine.testing.mutation import UNNOTICED
from policy_engine.testing.outcome import UNTRIED, Summary, share
from policy_engine.testing.output.lines import (
    failure_lines,
    idea_lines,
    uncovered,
    unnoticed,
    untested,
    witness_lines,
)
from policy_engine.testing.output.pasting import Pasting
from policy_engine.testing.run import Result

__all__ = ["faults_to_junit", "to_junit"]

_UNSAYABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""

_KINDS: Final = MappingProxyType({"failures": "failure", "errors": "error", "skipped": "skipped"})
"""Attribute of a suite -> what it counts; a document as a whole counts no skipped ones."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said of a case."""

    kind: Literal["failure", "error", "skipped", "system-out"]
    message: str
    """Empty for `system-out`."""
    text: str


@dataclass(frozen=True, slots=True)
class _Case:
    """A case of a suite."""

    name: str
    said: Sequence[_Said] = ()

    def has(self, kind: str) -> bool:
        """Whether it failed, erred or was skipped."""
        return any(one.kind == kind for one in self.said)


def to_junit(summary: Summary) -> str:
    """Return a JUnit document: one suite a file, one case a test, then coverage and mutation."""
    suites: dict[str, list[_Case]] = {}
    for suite, result in summary.results:
        suites.setdefault(suite.path, []).append(_tested(result))
    pasting = Pasting(summary)
    if summary.covered is not None:
        suites["coverage"] = _coverage(summary, summary.covered, pasting)
    if summary.verdicts is not None or "mutation" in summary.missed:
        suites["mutation"] = _mutation(summary, pasting)
    return _document(suites, summary.seconds)


def faults_to_junit(faults: Iterable[Fault]) -> str:
    """Return a JUnit document for test files or policies that do not load: each fault an error."""
    suites: dict[str, list[_Case]] = {}
    for fault in faults:
        hint = f"\n  hint: {fault.hint}" if fault.hint else ""
        said = _Said("error", fault.message, f"{fault.location}: {fault.message}{hint}")
        case = _Case(f"{fault.code} {fault.location}", [said])
        suites.setdefault(fault.location.path, []).append(case)
    return _document(suites, 0.0)


def _tested(result: Result) -> _Case:
    said = [
        _Said(
            "failure",
            "; ".join(failure.differences),
            "\n".join((str(failure.location), *failure_lines(result, failure))),
        )
        for failure in result.failures
    ]
    return _Case(result.case.name, said)


def _coverage(summary: Summary, covered: Iterable[Covered], pasting: Pasting) -> list[_Case]:
    """Return the case of all that is covered, and one for each part that is not."""
    seen, wanted = summary.outcomes
    score = f"{share((seen, wanted))}, {seen:,} of {wanted:,} outcomes"
    left_out = [
        (
            f"{one.item.location}: {uncovered(one)}",
            f"no test for {untested(one)}",
            _text(idea_lines(one, pasting)),
        )
        for one in covered
        if one.missing
    ]
    how = summary.missed.get("coverage")
    return [_gate(summary.min_coverage, how, score, left_out), *map(_left_out, left_out)]


def _mutation(summary: Summary, pasting: Pasting) -> list[_Case]:
    """Return the case of all mutants, and one for each that no test notices."""
    killed, counting = summary.kills
    score = UNTRIED
    if summary.verdicts is not None:
        score = f"{share((killed, counting))}, {killed:,} of {counting:,} mutants noticed"
    left_out = [
        (
            f"{one.location}: {unnoticed(one)}",
            "no test notices",
            _text(witness_lines(one, pasting)),
        )
        for one in summary.verdicts or ()
        if one.fate in UNNOTICED
    ]
    how = summary.missed.get("mutation")
    return [_gate(summary.min_mutation, how, score, left_out), *map(_left_out, left_out)]


def _gate(
    least: float | None, how: str | None, score: str, left_out: Iterable[tuple[str, str, str]]
) -> _Case:
    """Return the case that fails where a minimum is missed."""
    name = "share" if least is None else f"at least {least:g} %"
    if how is None:
        return _Case(name, [_Said("system-out", "", score)])
    lines = [score, *(f"{name}: {message}" for name, message, _ in left_out)]
    return _Case(name, [_Said("failure", how, "\n".join(lines))])


def _left_out(one: tuple[str, str, str]) -> _Case:
    name, message, text = one
    return _Case(name, [_Said("skipped", message, text)])


def _text(lines: Iterable[Text]) -> str:
    return "\n".join(line.plain for line in lines)


def _document(suites: dict[str, list[_Case]], seconds: float) -> str:
    cases = [case for listed in suites.values() for case in listed]
    counts = _counts(cases, ("failures", "errors"))
    head = f'<testsuites name="policy-engine" {counts} time="{seconds:.3f}">'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', head]
    for name, listed in suites.items():
        lines.append(f"  <testsuite name={_attribute(name)} {_counts(listed, tuple(_KINDS))}>")
        for case in listed:
            lines.extend(_lines(name, case))
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _counts(cases: Sequence[_Case], keys: Iterable[str]) -> str:
    """Return how many cases there are, and of which kinds."""
    counts = {key: sum(case.has(_KINDS[key]) for case in cases) for key in keys}
    return " ".join(f'{key}="{count}"' for key, count in {"tests": len(cases), **counts}.items())


def _lines(suite: str, case: _Case) -> Iterator[str]:
    head = f"    <testcase classname={_attribute(suite)} name={_attribute(case.name)}"
    if not case.said:
        yield f"{head}/>"
        return
    yield f"{head}>"
    for one in case.said:
        message = f" message={_attribute(one.message)}" if one.message else ""
        yield f"      <{one.kind}{message}>{_content(one.text)}</{one.kind}>"
    yield "    </testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_UNSAYABLE.sub("\ufffd", text))


def _content(text: str) -> str:
    return escape(_UNSAYABLE.sub("\ufffd", text))
