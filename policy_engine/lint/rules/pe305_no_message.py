"""A rule that stops without saying what to do instead.

What it does:
    Reports a rule that denies or asks for an approval and has no `message`. Only for the
    pedantic persona.

Why:
    A model that is told only that it may not tries again.

Fails:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: large, when: args.amount > 10, effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: large, when: args.amount > 10, effect: deny, message: Pay at most 10 at once.}

Fix:
    Say what the model can do instead.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        rule = found.placed.rule
        if rule.message is None and rule.effect != "redact":
            path = (*found.placed.path, "id")
            yield Found(found.policy, path, f'"{rule.id}" has no message', "say what to do instead")


RULE: Final = LintRule("PE305", "no-message", "info", __doc__ or "", _find, persona="pedantic")
