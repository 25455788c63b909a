"""An amount without an upper bound.

What it does:
    Reports a number, or a text of digits, that is named like an amount and has no upper bound,
    where nothing else that reads it stops a call with a thousand million, and no limit sums it up.

Why:
    The one number that decides how bad a mistake can be is left to the model.

Fails:
    tools:
      refund: {args: {amount: {type: number, exclusiveMinimum: 0}}}
    ---
    tools:
      refund: {args: {amount: {type: string, pattern: '^[0-9]+([.][0-9]{2})?$'}}}

Passes:
    tools:
      refund: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 500}}}

Fix:
    Add a `maximum`, or a rule that asks for an approval above one.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import AMOUNTS, words_of

__all__ = ["RULE"]


_MUCH: Final = 1_000_000_000


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        kind = place.schema.get("type")
        is_text = kind == "string" and "pattern" in place.schema
        if not (kind in ("number", "integer") or is_text) or place.entry is None:
            continue
        if AMOUNTS.isdisjoint(words_of(place.name)) or _is_summed(subject, place):
            continue
        many = (str(_MUCH), f"{_MUCH}.00") if is_text else (_MUCH,)
        tried = (accepted(subject, place, much, "accepted: a thousand million") for much in many)
        witness = next((one for one in tried if one is not None), None)
        if witness is not None:
            message = f'"{place.name}" has no upper bound'
            hint = "add a `maximum`, or a rule that asks above one"
            if is_text:
                hint = "declare a number with a `maximum`, or fewer digits in its pattern"
            yield Found(place.policy, place.path, message, hint, on_key=True, witness=witness)


def _is_summed(subject: Subject, place: SchemaAt) -> bool:
    return any(
        limit.of == f"args.{place.argument}"
        and place.entry is not None
        and any(matches_glob(glob, place.entry.name) for glob in limit.tools or ())
        for loaded in subject.policies
        for limit in loaded.policy.limits
    )


RULE: Final = LintRule("PE221", "unbounded-amount", "warning", __doc__ or "", _find)
