"""Findings that are known already: a file of them, so that only new ones count."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from policy_engine.lint.finding import Finding

__all__ = ["BaselineError", "known_in", "left_of", "write_baseline"]

VERSION: Final = 1


class BaselineError(Exception):
    """The file is not a baseline; the text is for the user."""


def _key(finding: Finding, folder: str) -> str:
    """Tell a finding by what it says and the line it is about; lines may move."""
    path = _path(finding, folder)
    parts = (path, finding.code, finding.message, finding.source_line.strip())
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _path(finding: Finding, folder: str) -> str:
    """Return the file as seen from the baseline, wherever lint is run."""
    try:
        return Path(os.path.relpath(finding.location.path, folder)).as_posix()
    except ValueError:  # another drive
        return Path(finding.location.path).as_posix()


def write_baseline(findings: Iterable[Finding], folder: str) -> str:
    """Return the file that makes these findings known, to be written in a folder."""
    counts = Counter((_key(f, folder), _path(f, folder), f.code, f.message) for f in findings)
    listed = [
        {"key": key, "file": path, "code": code, "message": message, "count": count}
        for (key, path, code, message), count in sorted(counts.items(), key=lambda one: one[0][1:])
    ]
    return json.dumps({"version": VERSION, "findings": listed}, indent=2, ensure_ascii=False) + "\n"


def known_in(text: str) -> Counter[str]:
    """Read a baseline.

    Raises:
        BaselineError: It is not one.
    """
    try:
        value: Any = json.loads(text)
        if not isinstance(value, dict) or not isinstance(value.get("findings"), list):
            raise BaselineError("it is not a baseline: it has no list of findings")
        if value["version"] != VERSION:
            raise BaselineError(f"version {value['version']} of baselines is not known")
        return Counter({str(one["key"]): int(one["count"]) for one in value["findings"]})
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BaselineError(f"it is not a baseline: {error}") from None


def left_of(
    findings: Sequence[Finding], known: Counter[str], folder: str
) -> tuple[tuple[Finding, ...], int]:
    """Return the findings that are new, and how many known ones are gone.

    Args:
        findings: What lint found.
        known: The baseline.
        folder: Where the baseline stands.
    """
    remaining = Counter(known)
    new = []
    for finding in findings:
        key = _key(finding, folder)
        if remaining[key] > 0:
            remaining[key] -= 1
        else:
            new.append(finding)
    return tuple(new), sum(remaining.values())
