"""A count with a lower bound and no upper one.

What it does:
    Reports a number that is named like what is asked for at once (limit, rows, copies,
    replicas, seats...), has a `minimum` and no `maximum`, where nothing stops a call with a
    thousand million. Amounts of money and goods are PE221's.

Why:
    Half of the range was thought of. `limit: 1000000000` exports the table, and as many replicas
    cost a fortune.

Fails:
    tools:
      list_customers: {args: {limit: {type: integer, minimum: 1}}}

Passes:
    tools:
      list_customers: {args: {limit: {type: integer, minimum: 1, maximum: 100}}}
    ---
    tools:
      list_customers: {args: {page: {type: integer, minimum: 1}}}

Fix:
    Add a `maximum`.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import schemas
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import AMOUNTS, names_in, words_of

__all__ = ["RULE"]

_COUNTS: Final = names_in(
    """
    limit top rows copies replicas instances seats passengers guests nights retries
    concurrency workers dose dosage tablets refills
    """
)
_OTHER: Final = names_in("id ids number code page offset seed before after from")
_TELLING: Final = names_in(
    "log report record track store save import audit measure count note add_result ingest"
)
"""Tools that are told how many there were."""
_MUCH: Final = 1_000_000_000


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        schema, words = place.schema, set(words_of(place.name))
        if place.entry is None or schema.get("type") not in ("number", "integer"):
            continue
        if not words & _COUNTS or words & _OTHER or words & AMOUNTS:
            continue
        if not _TELLING.isdisjoint(words_of(place.entry.name)):
            continue
        if "minimum" not in schema and "exclusiveMinimum" not in schema:
            continue
        witness = accepted(subject, place, _MUCH, "accepted: a thousand million")
        if witness is not None:
            message = f'"{place.name}" has a minimum, and no maximum'
            yield Found(
                place.policy, place.path, message, "add a `maximum`", on_key=True, witness=witness
            )


RULE: Final = LintRule("PE244", "unbounded-count", "warning", __doc__ or "", _find)
