"""An amount that may be below zero.

What it does:
    Reports a number that is named like an amount (amount, price, quantity, refund...), or that
    a limit sums up, and has no lower bound, where a call with -1 is accepted.

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

from policy_engine.compiler.names import globs_overlap
from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import AMOUNTS, words_of

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        if place.schema.get("type") not in ("number", "integer") or place.entry is None:
            continue
        if AMOUNTS.isdisjoint(words_of(place.name)) and not _is_summed(subject, place):
            continue
        witness = accepted(subject, place, -1, "accepted: an amount below zero")
        if witness is not None:
            message = f'"{place.name}" may be below zero'
            hint = "add `exclusiveMinimum: 0`, or `minimum: 0`"
            yield Found(place.policy, place.path, message, hint, on_key=True, witness=witness)


def _is_summed(subject: Subject, place: SchemaAt) -> bool:
    name = "" if place.entry is None else place.entry.name
    return place.is_top and any(
        limit.of == f"args.{place.argument}" and any(globs_overlap(g, name) for g in limit.tools)
        for loaded in subject.policies
        for limit in loaded.policy.limits
        if limit.tools
    )


RULE: Final = LintRule("PE214", "negative-amount", "warning", __doc__ or "", _find)
