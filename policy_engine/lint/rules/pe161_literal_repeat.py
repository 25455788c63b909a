r"""A number of repeats in braces that is read as text.

What it does:
    Reports braces in a pattern of a check or a condition that look like a number of repeats and
    are none: with a space in them, as in `\d{4 }` and `\d{2, 4}`, and without the first number,
    as in `\d{,4}`. Patterns of arguments are read as JSON Schema has them, and left alone.

Why:
    They are read letter by letter: `\d{2, 4}` finds a digit and the text "{2, 4}" behind it. The
    rule loads, and finds nothing that anybody writes.

Fails:
    output:
      - {id: ssn, check: {pattern: {any: ['\b\d{3}[ -]?\d{2}[ -]?\d{4 }\b']}}, effect: redact}
    ---
    tools:
      find:
        args: {code: {type: string, maxLength: 9}}
        rules: [{id: codes, when: '!args.code.matches("^[A-Z]{,4}$")', effect: deny}]

Passes:
    output:
      - {id: ssn, check: {pattern: {any: ['\b\d{3}[ -]?\d{2}[ -]?\d{4}\b']}}, effect: redact}
    ---
    tools:
      find: {args: {code: {type: string, pattern: '^[A-Z]{0,4}$'}}}

Fix:
    Write `{4}`, `{2,4}` or `{0,4}`, without a space; for braces that are meant, `\{`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.places import patterns
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.text.dialect import needs_backtracking

__all__ = ["RULE"]

_STEP: Final = re.compile(
    r"\\[pPxuN]\{[^}]{0,99}\}|\\.|\[\^?\]?(?:\\.|\[:\^?[a-z]{1,9}:\]|[^\]\\]){0,300}+\]|"
    r"(?P<braces>\{(?P<low>[ \t]*[0-9]*[ \t]*)(?P<more>,[ \t]*[0-9]*[ \t]*)?\})|.",
    re.DOTALL,
)
"""One step through a pattern: a class or an escape is one step, so its braces are not seen."""


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        if "{" not in place.pattern or place.use == "argument":
            continue
        wrong = None if needs_backtracking(place.pattern) else _literal(place.pattern)
        if wrong is not None:
            braces, meant = wrong
            yield Found(
                place.policy,
                place.path,
                f'"{braces}" is no number of repeats here: it is read as text',
                f"write `{meant}`, or a backslash in front of braces that are meant",
                part=place.part,
            )


def _literal(pattern: str) -> tuple[str, str] | None:
    """Return braces that are text and look otherwise, and what was meant by them."""
    for step in _STEP.finditer(pattern):
        braces, low, more = step["braces"], step["low"], step["more"]
        if braces is None or not re.search("[0-9]", braces) or step.start() == 0:
            continue
        first = low.strip() or "0"
        meant = f"{{{first}{'' if more is None else ',' + more[1:].strip()}}}"
        if meant != braces:
            return braces, meant
    return None


RULE: Final = LintRule("PE161", "literal-repeat", "error", __doc__ or "", _find)
