"""What a run of tests came to, in the XML that CI systems read since JUnit."""

import re
from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from policy_engine.testing.coverage import Covered
from policy_engine.testing.outcome import Summary, percent
from policy_engine.testing.output.lines import failure_lines, uncovered, untested
from policy_engine.testing.run import Result

__all__ = ["to_junit"]

_UNSAYABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def to_junit(summary: Summary) -> str:
    """Return a JUnit document: one suite a file, one case a test."""
    by_file: dict[str, list[Result]] = {}
    for suite, result in summary.results:
        by_file.setdefault(suite.path, []).append(result)
    failed = len(summary.failed)
    head = f'<testsuites name="policy-engine" tests="{len(summary.results)}" failures="{failed}" '
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'{head}time="{summary.seconds:.3f}">']
    for path, results in by_file.items():
        lines.extend(_suite(path, results))
    if summary.covered is not None:
        lines.extend(_coverage(summary, summary.covered))
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _suite(path: str, results: Iterable[Result]) -> Iterable[str]:
    found = list(results)
    failed = sum(not result.passed for result in found)
    yield (
        f'  <testsuite name={_attribute(path)} tests="{len(found)}" failures="{failed}" '
        'errors="0" skipped="0">'
    )
    for result in found:
        yield from _case(path, result)
    yield "  </testsuite>"


def _coverage(summary: Summary, covered: Iterable[Covered]) -> Iterable[str]:
    """Yield a suite without tests that says what is not covered."""
    seen, wanted = summary.outcomes
    said = [f"coverage: {percent((seen, wanted)):.1f} %, {seen} of {wanted} outcomes"]
    said.extend(
        f"{one.item.location}: {uncovered(one)}: no test for {untested(one)}"
        for one in covered
        if one.missing
    )
    yield '  <testsuite name="coverage" tests="0" failures="0" errors="0" skipped="0">'
    yield f"    <system-out>{_said(chr(10).join(said))}</system-out>"
    yield "  </testsuite>"


def _case(path: str, result: Result) -> Iterable[str]:
    head = f"    <testcase classname={_attribute(path)} name={_attribute(result.case.name)}"
    if result.passed:
        yield f"{head}/>"
        return
    yield f"{head}>"
    for failure in result.failures:
        text = "\n".join((str(failure.location), *failure_lines(result, failure)))
        message = _attribute("; ".join(failure.differences))
        yield f"      <failure message={message}>{_said(text)}</failure>"
    yield "    </testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_UNSAYABLE.sub("\ufffd", text))


def _said(text: str) -> str:
    return escape(_UNSAYABLE.sub("\ufffd", text))
