"""Sections in another order than everywhere else.

What it does:
    Reports the first section of a policy that stands before one it usually follows, and a rule or
    a limit that does not begin with its `id`. Only for the pedantic persona.

Why:
    Who reads many policies looks for a section where it always is.

Fails:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}
    description: What the cashier may do.

Passes:
    description: What the cashier may do.
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}

Fix:
    Move it. The order is that of `policy-engine schema policy`.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy import Policy

__all__ = ["RULE"]

_ORDER: Final = {name: index for index, name in enumerate(Policy.model_fields)}


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        keys = [key for key in loaded.document.data if key in _ORDER]
        for before, key in pairwise(keys):
            if _ORDER[key] < _ORDER[before]:
                message = f'"{key}" usually stands above "{before}"'
                yield Found(loaded, (key,), message, "move it", on_key=True)
                break
    for found in subject.conditions:
        rule: Any = found.policy.document.data
        for step in found.placed.path:
            rule = rule[step]
        if next(iter(rule)) != "id":
            path = (*found.placed.path, "id")
            yield Found(found.policy, path, "a rule begins with its id", "move it", on_key=True)


RULE: Final = LintRule("PE315", "key-order", "info", __doc__ or "", _find, persona="pedantic")
