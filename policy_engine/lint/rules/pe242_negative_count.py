"""A count, a duration or a share that may be below zero.

What it does:
    Reports a number that is named like a count, a duration, an offset or a share (days, limit,
    offset, percent, dose...) and has a `maximum` and no lower bound, where nothing stops a call
    with -1. Amounts of money and goods are PE214's.

Why:
    Half of the range was thought of. `limit: -1` is every row in some databases, -1 days of
    retention deletes everything, and a discount of -50 percent raises the price.

Fails:
    tools:
      list_orders: {args: {limit: {type: integer, maximum: 100}}}

Passes:
    tools:
      list_orders: {args: {limit: {type: integer, minimum: 1, maximum: 100}}}
    ---
    tools:
      set_thermostat: {args: {celsius: {type: number, maximum: 24}}}

Fix:
    Add `minimum: 0`, or `minimum: 1`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import AMOUNTS, names_in, words_of

__all__ = ["RULE"]

_COUNTS: Final = names_in(
    """
    count counts limit limits top rows row offset page pages skip first take size length width
    height days day hours hour minutes seconds weeks months years duration ttl timeout
    retention retries replicas instances copies units items seats nights guests passengers persons
    percent percentage pct share dose dosage mg ml tablets refills age kilometers km
    meters grams kg litres liters bytes kb mb gb cores cpu memory concurrency workers
    """
)
_PLACES: Final = names_in("offset skip")
_TIMES: Final = names_in("days day hours hour minutes seconds weeks months years")
_NEGATIVE: Final = re.compile(r"\b(?:negative|below (?:zero|0)|minus)\b|-[0-9]", re.IGNORECASE)
_SIGNED: Final = names_in(
    """
    delta change diff difference adjustment shift timezone tz utc relative correction drift from
    to since start end growth return celsius fahrenheit kelvin degrees temperature rate interest
    balance ahead before after db gain
    """
)
"""Words of names of numbers that have both signs."""


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        schema, words = place.schema, set(words_of(place.name))
        if place.entry is None or schema.get("type") not in ("number", "integer"):
            continue
        if not words & _COUNTS or words & _SIGNED or words & AMOUNTS:
            continue
        if _is_said(place) or (words & _PLACES and words & _TIMES):
            continue
        if "maximum" not in schema and "exclusiveMaximum" not in schema:
            continue
        witness = accepted(subject, place, -1, "accepted: a count below zero")
        if witness is not None:
            message = f'"{place.name}" has a maximum, and may be below zero'
            hint = "add `minimum: 0`, or `minimum: 1`"
            yield Found(place.policy, place.path, message, hint, on_key=True, witness=witness)


def _is_said(place: SchemaAt) -> bool:
    """Whether somebody thought of numbers below zero, and said so."""
    block = place.entry.block if place.entry is not None else None
    said = [place.schema.get("message"), place.schema.get("description")]
    for rule in (block.rules if block is not None else None) or ():
        said += [rule.message, rule.description]
    return any(isinstance(text, str) and _NEGATIVE.search(text) for text in said)


RULE: Final = LintRule("PE242", "negative-count", "warning", __doc__ or "", _find)
