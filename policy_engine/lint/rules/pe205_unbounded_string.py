"""A text of any length.

What it does:
    Reports a string argument without `maxLength`, `maxBytes`, `enum`, `const`, a `pattern` or a
    `format`. Only for the pedantic persona.

Why:
    A text without end costs memory in the tool, and in the mail or database where it lands.

Fails:
    tools:
      note: {args: {text: {type: string}}}

Passes:
    tools:
      note: {args: {text: {type: string, maxLength: 2000}}}

Fix:
    Give a `maxLength` that no honest use comes near.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import schemas
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_BOUNDING: Final = ("maxLength", "maxBytes", "enum", "const", "pattern", "format", "$ref")


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        if place.entry is None or place.schema.get("type") != "string":
            continue
        if any(key in place.schema for key in _BOUNDING):
            continue
        witness = accepted(subject, place, "x" * 1000, "a thousand characters are accepted")
        if witness is not None:
            message = f'"{place.name}" may be of any length'
            yield Found(
                place.policy, place.path, message, "give a `maxLength`", True, witness=witness
            )


RULE: Final = LintRule(
    "PE205", "unbounded-string", "info", __doc__ or "", _find, persona="pedantic"
)
