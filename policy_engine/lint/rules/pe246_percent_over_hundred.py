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
    discount rebate off coupon voucher commission cashback share split vat opacity battery
    progress completion deposit
    """
)
_GIVEN: Final = names_in("discount rebate coupon voucher cashback")
"""Words of tools whose percentage is of a price."""
_LEVELS: Final = names_in("brightness volume dim")
"""What some devices turn up beyond what is usual, where somebody says how far."""
_GROWING: Final = names_in("growth change increase raise delta zoom scale markup surcharge of")


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        if place.entry is None or place.schema.get("type") not in ("number", "integer"):
            continue
        words = set(words_of(place.name))
        if not words & _PERCENT or words & _GROWING:
            continue
        is_given = words <= _PERCENT and not _GIVEN.isdisjoint(words_of(place.entry.name))
        is_level = words & _LEVELS and "maximum" not in place.schema
        if not (words & _PARTS or is_given or is_level):
            continue
        witness = accepted(subject, place, 101, "accepted: more than all of it")
        if witness is not None:
            message = f'"{place.name}" may be more than 100'
            hint = "write the largest share that is meant, 100 at most"
            yield Found(place.policy, place.path, message, hint, on_key=True, witness=witness)


RULE: Final = LintRule("PE246", "percent-over-hundred", "warning", __doc__ or "", _find)
