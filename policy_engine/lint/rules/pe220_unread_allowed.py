"""Images and files that no check has read.

What it does:
    Reports `unread: allow`. Only for the pedantic persona.

Why:
    What a check cannot read passes it: a picture of the forbidden text, a file that holds it.

Fails:
    input:
      - {id: words, check: {terms: {any: [secret]}}, effect: deny, unread: allow}

Passes:
    input:
      - {id: words, check: {terms: {any: [secret]}}, effect: deny}

Fix:
    Leave it out where no images or files are expected.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        if found.placed.rule.unread == "allow":
            message = f'images and files pass "{found.placed.rule.id}" unread'
            hint = "leave it out where none are expected"
            yield Found(found.policy, (*found.placed.path, "unread"), message, hint)


RULE: Final = LintRule("PE220", "unread-allowed", "info", __doc__ or "", _find, persona="pedantic")
