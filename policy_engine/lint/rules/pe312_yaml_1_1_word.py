"""A word that other YAML readers take for a boolean.

What it does:
    Reports a plain `yes`, `no`, `on` or `off` where a text is meant, and a plain number with a
    leading 0 or a colon in it.

Why:
    Policies are YAML 1.2, where these are texts. Editors and scripts that read YAML 1.1 see
    true, false, an octal number or base 60.

Fails:
    tools:
      light: {args: {state: {enum: [on, off]}}}

Passes:
    tools:
      light: {args: {state: {enum: ["on", "off"]}}}

Fix:
    Quote it; `--fix` does.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.edits import value_edit
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.source import Path

__all__ = ["RULE"]


_WORD: Final = re.compile(
    r"(?:y|n|yes|no|on|off)|0[0-7]+|[1-9][0-9]*(?::[0-5]?[0-9])+", re.IGNORECASE
)


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for path, text in _texts((), loaded.document.data):
            edits = value_edit(loaded, path, text, f'"{text}"')
            if edits:
                message = f'"{text}" is a text here, and something else in YAML 1.1'
                yield Found(loaded, path, message, "quote it", edits=edits)


def _texts(path: Path, value: object) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if _WORD.fullmatch(value):
            yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts((*path, key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts((*path, index), inner)


RULE: Final = LintRule("PE312", "yaml-1.1-word", "info", __doc__ or "", _find)
