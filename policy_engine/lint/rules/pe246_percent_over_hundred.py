"""A share of more than a hundred percent.

What it does:
    Reports a percentage of a discount, a refund, a commission, a fill level and the like that may
    be above 100, where nothing stops a call with 101.

Why:
    A discount of 150 percent pays the customer. Growth may be above 100, a part of something not.

Fails:
    tools:
      give_discount: {args: {percent: {type: number, minimum: 0, maximum: 1000}}}

Passes:
    tools:
      give_discount: {args: {percent: {type: number, minimum: 0, maximum: 30}}}

Fix:
    Write the largest share that is meant, 100 at most.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import schemas
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["RULE"]

_PERCENT: Final = names_in("percent percentage pct")
_PARTS: Final = names_in(
    """
    discount rebate off coupon voucher refund commission cashback share split tax vat opacity
    volume brightness battery progress completion dim deposit
    """
)


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        if place.entry is None or place.schema.get("type") not in ("number", "integer"):
            continue
        words = set(words_of(place.name))
        if not words & _PERCENT or not (words | set(words_of(place.entry.name))) & _PARTS:
            continue
        witness = accepted(subject, place, 101, "accepted: more than all of it")
        if witness is not None:
            message = f'"{place.name}" may be more than 100'
            hint = "write the largest share that is meant, 100 at most"
            yield Found(place.policy, place.path, message, hint, on_key=True, witness=witness)


RULE: Final = LintRule("PE246", "percent-over-hundred", "warning", __doc__ or "", _find)
