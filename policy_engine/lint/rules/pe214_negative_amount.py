"""An amount that may be below zero.

What it does:
    Reports a number that is named like an amount (amount, price, quantity, refund...) and has a
    `maximum` but no lower bound, where a call with -1 is accepted.

Why:
    A refund of -500 charges the customer, and a sum of payments with negative ones in it never
    reaches its limit.

Fails:
    tools:
      refund: {args: {amount: {type: number, maximum: 500}}}

Passes:
    tools:
      refund: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 500}}}

Fix:
    Add `exclusiveMinimum: 0`, or `minimum: 0`.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import schemas
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import AMOUNTS, words_of

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        if place.schema.get("type") not in {"number", "integer"} or place.entry is None:
            continue
        if AMOUNTS.isdisjoint(words_of(place.name)):
            continue
        witness = accepted(subject, place, -1, "accepted: an amount below zero")
        if witness is not None:
            message = f'"{place.name}" may be below zero'
            hint = "add `exclusiveMinimum: 0`, or `minimum: 0`"
            yield Found(place.policy, place.path, message, hint, on_key=True, witness=witness)


RULE: Final = LintRule("PE214", "negative-amount", "warning", __doc__ or "", _find)
