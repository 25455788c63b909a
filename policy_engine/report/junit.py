"""What lint found, as JUnit XML: one case a file, and one for each finding."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from policy_engine.errors import Fault
from policy_engine.lint import SEVERITIES, Finding
from policy_engine.lint.outcome import Outcome
from policy_engine.report.findings import witness_text
from policy_engine.report.printable import printable

__all__ = ["outcome_to_junit"]


def outcome_to_junit(outcome: Outcome) -> str:
    """Return the XML; findings below the fail level do not fail their cases."""
    least = SEVERITIES[outcome.fail_level]
    suite = Element("testsuite", name="policy-engine lint")
    noted = {one.location.path for one in outcome.findings}
    noted |= {one.location.path for one in outcome.faults}
    for path in outcome.files:
        if path not in noted:
            SubElement(suite, "testcase", name=printable(path), classname=printable(path))
    for fault in outcome.faults:
        case = _case(suite, fault)
        SubElement(case, "error", message=printable(fault.message), type=fault.code).text = _text(
            fault
        )
    failures = 0
    for finding in outcome.findings:
        case = _case(suite, finding)
        if SEVERITIES[finding.severity] >= least:
            failures += 1
            failure = SubElement(
                case, "failure", message=printable(finding.message), type=finding.code
            )
            failure.text = _text(finding)
        else:
            SubElement(case, "system-out").text = _text(finding)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("errors", str(len(outcome.faults)))
    suite.set("skipped", "0")
    root = Element("testsuites", name="policy-engine")
    root.append(suite)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _case(suite: Element, one: Finding | Fault) -> Element:
    name = printable(f"{one.code} {one.location}")
    return SubElement(suite, "testcase", name=name, classname=printable(one.location.path))


def _text(one: Finding | Fault) -> str:
    lines = [f"{one.location}: {one.message}"]
    if one.source_line:
        lines.append(f"  {one.source_line.strip()}")
    if isinstance(one, Finding) and one.witness is not None:
        lines.append(f"  shown by: {witness_text(one.witness)}: {one.witness.shows}")
    if one.hint:
        lines.append(f"  hint: {one.hint}")
    return "\n".join(map(printable, lines))
