"""An object that takes any properties.

What it does:
    Reports `additionalProperties: true`, or without a type, in the schema of an argument.

Why:
    What is not named is not checked. Objects are closed unless this is written.

Fails:
    tools:
      update:
        args:
          fields: {type: object, additionalProperties: true}

Passes:
    tools:
      update:
        args:
          fields: {type: object, properties: {title: {type: string, maxLength: 80}}}

Fix:
    Name the properties; where names are free, give their schema:
    `additionalProperties: {type: string, maxLength: 80}`.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import schemas
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        if place.schema.get("additionalProperties") not in (True, {}):
            continue
        if place.entry is None or "additionalProperties" not in place.schema:
            continue
        value = {"anything": "goes"}
        yield Found(
            place.policy,
            (*place.path, "additionalProperties"),
            f'"{place.name}" takes any properties, unchecked',
            "name the properties, or give the schema of the others",
            on_key=True,
            witness=accepted(subject, place, value, "accepted with a property nobody knows"),
        )


RULE: Final = LintRule("PE213", "open-object", "warning", __doc__ or "", _find)
