"""A policy that nobody answers for.

What it does:
    Reports a policy without an `owner`. Only for the pedantic persona.

Why:
    Somebody has to be asked before it is changed.

Fails:
    tools:
      pay: deny

Passes:
    owner: payments
    tools:
      pay: deny

Fix:
    Name a team.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        if loaded.policy.owner is None:
            yield Found(loaded, ("policy",), "the policy has no owner", "name a team")


RULE: Final = LintRule("PE304", "no-owner", "info", __doc__ or "", _find, persona="pedantic")
