"""An id that says nothing.

What it does:
    Reports the id of a policy, a rule or a limit such as `rule1`, `test`, `foo` or `tmp`. Only
    for the pedantic persona.

Why:
    The id stands in every decision and every record; it is all that an operator sees at first.

Fails:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: rule1, when: args.amount > 10, effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: large-payment, when: args.amount > 10, effect: deny}

Fix:
    Say in the id what the rule stops.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_PLACEHOLDER: Final = re.compile(
    r"(?:rule|test|foo|bar|baz|tmp|temp|check|policy|limit|new|my-rule|untitled|x|abc|asdf)-?[0-9]*"
)


def _find(subject: Subject) -> Iterator[Found]:
    named = [
        (found.policy, found.placed.path, found.placed.rule.id) for found in subject.conditions
    ]
    for loaded in subject.policies:
        named += [(loaded, ("limits", i), one.id) for i, one in enumerate(loaded.policy.limits)]
    for policy, path, name in named:
        if _PLACEHOLDER.fullmatch(name):
            message = f'the id "{name}" does not say what it stops'
            yield Found(policy, (*path, "id"), message, "say it in the id")


RULE: Final = LintRule("PE311", "placeholder-id", "info", __doc__ or "", _find, persona="pedantic")
