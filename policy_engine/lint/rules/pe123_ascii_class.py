r"""A class that knows ASCII letters only, beside others.

What it does:
    Reports a pattern that holds letters outside ASCII together with `\w`, `\b` or `\d`.

Why:
    `\w` is `[0-9A-Za-z_]`: `\bé\w+` does not find a word such as "état" as its author reads it.

Fails:
    output:
      - {id: words, check: {pattern: {any: ['\bétat\w*\b']}}, effect: deny}

Passes:
    output:
      - {id: words, check: {pattern: {any: ['état\p{L}*']}}, effect: deny}

Fix:
    Use `\p{L}` for letters, or a `terms` check, which knows every script.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.places import patterns
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_CLASS: Final = re.compile(r"(?<!\\)(?:\\\\)*(\\[wWbBdD])")


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        if place.pattern.isascii():
            continue
        match = _CLASS.search(place.pattern)
        if match is not None and any(c.isalpha() and not c.isascii() for c in place.pattern):
            message = f'"{match[1]}" knows ASCII letters only, and the pattern has others'
            hint = r"use `\p{L}`, or a `terms` check"
            yield Found(place.policy, place.path, message, hint, part=place.part)


RULE: Final = LintRule("PE123", "ascii-class", "warning", __doc__ or "", _find)
