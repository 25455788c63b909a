"""A list of any length for a tool that destroys, sends or pays.

What it does:
    Reports an argument that is a list without `maxItems`, of a tool whose name says that it
    deletes, sends, pays or runs something, where a call with a thousand elements is accepted.

Why:
    One call is then a thousand, whatever a limit of calls says.

Fails:
    tools:
      delete_users: {args: {ids: {type: array, items: {type: integer, minimum: 1}}}}

Passes:
    tools:
      delete_users:
        args: {ids: {type: array, minItems: 1, maxItems: 5, items: {type: integer, minimum: 1}}}

Fix:
    Give a `maxItems` that no honest call comes near.
"""

from collections.abc import Iterator
from typing import Any, Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import arguments
from policy_engine.lint.proof.schema import sampled
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import destructive

__all__ = ["RULE"]

_MANY: Final = 1_000


def _find(subject: Subject) -> Iterator[Found]:
    for place in arguments(subject):
        schema, entry = place.schema, place.entry
        if schema.get("type") != "array" or "maxItems" in schema or entry is None:
            continue
        if not destructive(entry.name) or "prefixItems" in schema or schema.get("uniqueItems"):
            continue
        many: list[Any] = [sampled([schema.get("items", {})])] * _MANY
        witness = accepted(subject, place, many, "accepted: a thousand at once")
        if witness is not None:
            message = f'"{place.name}" may have any number of elements'
            yield Found(
                place.policy, place.path, message, "give a `maxItems`", on_key=True, witness=witness
            )


RULE: Final = LintRule("PE234", "unbounded-list", "warning", __doc__ or "", _find)
