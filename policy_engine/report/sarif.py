"""What lint found, as SARIF 2.1.0 for code scanning."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from policy_engine.errors import FAULT_CODES, Fault, Location
from policy_engine.lint import RULES, Finding, LintRule, Severity
from policy_engine.lint.manual import sections
from policy_engine.lint.outcome import Outcome
from policy_engine.report.findings import witness_to_wire
from policy_engine.report.rooted import rooted

__all__ = ["outcome_to_sarif"]

_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVEL: Final[Mapping[Severity, str]] = MappingProxyType(
    {"error": "error", "warning": "warning", "info": "note"}
)


def outcome_to_sarif(outcome: Outcome, version: str) -> dict[str, Any]:
    """Return a SARIF log with one run.

    Args:
        outcome: What came of it.
        version: The version of policy-engine.
    """
    codes = sorted(
        {one.code for one in outcome.findings} | {one.code for one in outcome.faults} | set(RULES)
    )
    index = {code: position for position, code in enumerate(codes)}
    results = [_fault(one, index) for one in outcome.faults]
    results += [_finding(one, index) for one in outcome.findings]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "policy-engine",
                        "semanticVersion": version,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
                "invocations": [
                    {"executionSuccessful": not outcome.faults, "exitCode": outcome.exit_code}
                ],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    rule = RULES.get(code)
    if rule is None:
        return {
            "id": code,
            "shortDescription": {"text": FAULT_CODES.get(code, code)},
            "defaultConfiguration": {"level": "error"},
        }
    parts = sections(rule.manual)
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in rule.slug.replace(".", "-").split("-")),
        "shortDescription": {"text": rule.caption},
        "fullDescription": {"text": " ".join(parts["What it does"].split())},
        "help": {"text": rule.manual, "markdown": _markdown(rule)},
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
        "properties": {"tags": ["policy", rule.persona]},
    }


def _markdown(rule: LintRule) -> str:
    parts = sections(rule.manual)
    pieces = [f"**{rule.caption}**"]
    for title in ("What it does", "Why", "Fails", "Passes", "Fix"):
        text = parts[title]
        pieces.append(f"### {title}\n")
        pieces.append(f"```yaml\n{text}\n```" if title in {"Fails", "Passes"} else text)
    return "\n".join(pieces)


def _finding(finding: Finding, index: Mapping[str, int]) -> dict[str, Any]:
    text = finding.message if finding.hint is None else f"{finding.message}. {finding.hint}"
    result = _result(finding, _LEVEL[finding.severity], text, index)
    if finding.witness is not None:
        result["properties"] = {"witness": witness_to_wire(finding.witness)}
    if finding.edits:
        result["fixes"] = [_fix(finding)]
    return result


def _fault(fault: Fault, index: Mapping[str, int]) -> dict[str, Any]:
    text = fault.message if fault.hint is None else f"{fault.message}. {fault.hint}"
    return _result(fault, "error", text, index)


def _result(
    one: Finding | Fault, level: str, text: str, index: Mapping[str, int]
) -> dict[str, Any]:
    path = rooted(one.location.path) or one.location.path
    key = f"{path}\n{one.code}\n{one.message}\n{one.source_line.strip()}"
    return {
        "ruleId": one.code,
        "ruleIndex": index[one.code],
        "level": level,
        "message": {"text": text},
        "locations": [_location(one.location, one.length, one.source_line)],
        "partialFingerprints": {
            "policyEngine/v1": hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
        },
    }


def _location(place: Location, length: int, line: str) -> dict[str, Any]:
    region: dict[str, Any] = {
        "startLine": place.line,
        "startColumn": place.column,
        "endColumn": place.column + max(1, length),
    }
    if line:
        region["snippet"] = {"text": line}
    return {"physicalLocation": {"artifactLocation": _artifact(place.path), "region": region}}


def _artifact(path: str) -> dict[str, Any]:
    known = rooted(path)
    if known is not None:
        return {"uri": quote(known), "uriBaseId": "%SRCROOT%"}
    plain = path.replace(os.sep, "/").removeprefix("./")
    if plain.startswith("/"):
        return {"uri": "file://" + quote(plain)}
    return {"uri": quote(plain), "uriBaseId": "%SRCROOT%"}


def _fix(finding: Finding) -> dict[str, Any]:
    by_file: dict[str, list[dict[str, Any]]] = {}
    for edit in finding.edits:
        region = {"charOffset": edit.start, "charLength": edit.end - edit.start}
        replacement = {"deletedRegion": region, "insertedContent": {"text": edit.text}}
        by_file.setdefault(edit.path, []).append(replacement)
    return {
        "description": {"text": finding.hint or "mend it"},
        "artifactChanges": _changes(by_file.items()),
    }


def _changes(files: Iterable[tuple[str, Sequence[dict[str, Any]]]]) -> list[dict[str, Any]]:
    return [
        {"artifactLocation": _artifact(path), "replacements": list(replacements)}
        for path, replacements in files
    ]
