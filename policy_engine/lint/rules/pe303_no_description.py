"""A policy that does not say what it is for.

What it does:
    Reports a policy without a `description`. Only for the pedantic persona.

Why:
    Who is paged because of it reads the description first.

Fails:
    tools:
      pay: deny

Passes:
    description: What the cashier may do.
    tools:
      pay: deny

Fix:
    Say it in a sentence.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        if loaded.policy.description is None:
            yield Found(loaded, ("policy",), "the policy has no description", "add one sentence")


RULE: Final = LintRule("PE303", "no-description", "info", __doc__ or "", _find, persona="pedantic")
