"""Edits of a file: where a value stands, and what replaces it."""

import re
from collections.abc import Iterable, Mapping

from policy_engine.lint.finding import Edit
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Path

__all__ = ["apply_edits", "expression_edit", "key_edit", "value_edit"]


def expression_edit(
    policy: LoadedPolicy, path: Path, text: str, start: int, end: int, replacement: str
) -> tuple[Edit, ...]:
    """Edit a piece of an expression; nothing where it does not stand in the file as it reads.

    It must be on one line, and neither it nor its replacement may hold what its quotes would
    have to escape.
    """
    document = policy.document
    fault = document.fault(path, "", "")
    inside = fault.source_line.find(text, fault.location.column - 1)
    if inside < 0 or "\n" in text:
        return ()
    opening = fault.source_line[inside - 1 : inside]
    if opening in {"'", '"'} and opening in replacement:
        return ()
    if opening not in {"'", '"'} and re.search(r": | #|^[\[{&*!|>%@`'\"]", replacement):
        return ()
    first = document.offset(fault.location.line, inside + 1)
    if document.text[first : first + len(text)] != text:
        return ()
    left = text[:start] + replacement + text[end:]
    if not opening.strip("'\"") and opening and not _plain(left):
        return ()
    return (Edit(document.path, first + start, first + end, replacement),)


def _plain(text: str) -> bool:
    """Whether a text can stand without quotes."""
    return re.match(r"^[A-Za-z(\"!][^#\n]*$", text) is not None and not re.match(
        r"^[!&*|>%@`'\"\[{]", text
    )


def value_edit(policy: LoadedPolicy, path: Path, old: str, new: str) -> tuple[Edit, ...]:
    """Put another text in the place of a plain value, exactly as it was written."""
    return _edit(policy, path, old, new, on_key=False)


def key_edit(policy: LoadedPolicy, path: Path, old: str, new: str) -> tuple[Edit, ...]:
    """Put another text in the place of a key."""
    return _edit(policy, path, old, new, on_key=True)


def _edit(
    policy: LoadedPolicy, path: Path, old: str, new: str, *, on_key: bool
) -> tuple[Edit, ...]:
    document = policy.document
    fault = document.fault(path, "", "", on_key=on_key)
    first = document.offset(fault.location.line, fault.location.column)
    if document.text[first : first + len(old)] != old or fault.length != len(old):
        return ()
    return (Edit(document.path, first, first + len(old), new),)


def apply_edits(texts: Mapping[str, str], edits: Iterable[Edit]) -> dict[str, str]:
    """Return the texts with every edit made that does not touch one before it."""
    result: dict[str, str] = {}
    for path, text in texts.items():
        made, at = "", 0
        for edit in sorted(edit for edit in set(edits) if edit.path == path):
            if edit.start >= at:
                made += text[at : edit.start] + edit.text
                at = edit.end
        result[path] = made + text[at:]
    return result
