"""A message with a placeholder that nothing fills.

What it does:
    Reports a `message` or a `replacement` with `{args.amount}`, `{{name}}`, `${limit}` or
    `%(name)s` in it.

Why:
    A message is said as it is written; it never quotes the request, so that no value of it comes
    back to the model, or into a log. The model is told "At most {vars.most}.".

Fails:
    vars: {most: 500}
    tools:
      pay:
        args:
          amount: {type: number, minimum: 0, maximum: vars.most, message: 'At most {vars.most}.'}

Passes:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 500, message: At most 500.}}}

Fix:
    Write it out.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.source import Path

__all__ = ["RULE"]

_PLACEHOLDER: Final = re.compile(
    r"\$?\{\{? *[A-Za-z_][A-Za-z0-9_.]* *\}?\}|%\([A-Za-z_][A-Za-z0-9_]*\)[sd]"
)
_SAID: Final = frozenset({"message", "replacement"})
_VALUES: Final = frozenset({"const", "default", "enum", "examples", "properties", "vars", "any"})


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for path, text in _texts((), loaded.document.data):
            match = _PLACEHOLDER.search(text)
            if match is not None:
                message = f'"{match[0]}" is said as it is written: nothing fills it'
                yield Found(loaded, path, message, "write it out")


def _texts(path: Path, value: object) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _SAID and isinstance(inner, str):
                yield (*path, key), inner
            elif key not in _VALUES or key == "properties":
                yield from _texts((*path, key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts((*path, index), inner)


RULE: Final = LintRule("PE145", "literal-placeholder", "warning", __doc__ or "", _find)
