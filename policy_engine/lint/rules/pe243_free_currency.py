"""A bound on an amount of any currency.

What it does:
    Reports a `currency` that may be any text beside an amount that has a `maximum`, and no rule
    that reads both. Tools that convert from one currency to another are left alone.

Why:
    500 yen are a coffee, and 500 dinars a rent. A bound holds for one currency, or for a few of
    about the same worth; whoever writes the call chooses another.

Fails:
    tools:
      pay:
        args:
          amount: {type: number, exclusiveMinimum: 0, maximum: 500}
          currency: {type: string, pattern: '^[A-Z]{3}$'}

Passes:
    tools:
      pay:
        args:
          amount: {type: number, exclusiveMinimum: 0, maximum: 500}
          currency: {enum: [EUR, USD]}

Fix:
    List the currencies under `enum`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy_engine.lint.accepted import accepted, speaks_of
from policy_engine.lint.places import SchemaAt, arguments
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import AMOUNTS, words_of

__all__ = ["RULE"]

_TRIED: Final = ("BTC", "KWD", "btc", "kwd")
"""Currencies of which one is worth a lot."""


def _find(subject: Subject) -> Iterator[Found]:
    for place in arguments(subject):
        if "currency" not in words_of(place.name) or place.schema.get("type") != "string":
            continue
        if place.entry is None or not (amount := _bounded(place.entry.block.args or {})):
            continue
        if _converts(place.entry.name, place.entry.block.args or {}):
            continue
        if _are_read_together(subject, place, amount):
            continue
        tried = (accepted(subject, place, currency, _SHOWS) for currency in _TRIED)
        witness = next((one for one in tried if one is not None), None)
        if witness is not None:
            message = f'"{amount}" is bounded, and "{place.name}" may be any'
            hint = "list the currencies under `enum`"
            yield Found(place.policy, place.path, message, hint, on_key=True, witness=witness)


def _converts(name: str, args: Mapping[str, Any]) -> bool:
    """Whether a tool takes two currencies, or says what an amount is worth in another."""
    return sum("currency" in words_of(argument) for argument in args) > 1 or not {
        "convert",
        "exchange",
        "quote",
        "rate",
        "rates",
    }.isdisjoint(words_of(name))


def _bounded(args: Mapping[str, Any]) -> str | None:
    """Return the argument that is a bounded amount."""
    for name, schema in args.items():
        if isinstance(schema, Mapping) and schema.get("type") in ("number", "integer"):
            is_bounded = "maximum" in schema or "exclusiveMaximum" in schema
            if is_bounded and not AMOUNTS.isdisjoint(words_of(name)):
                return name
    return None


def _are_read_together(subject: Subject, place: SchemaAt, amount: str) -> bool:
    name = "" if place.entry is None else place.entry.name
    return any(
        speaks_of(found, amount) and speaks_of(found, place.argument)
        for found in subject.rules_of(name)
    )


_SHOWS: Final = "accepted: one is worth a lot more than a dollar"

RULE: Final = LintRule("PE243", "free-currency", "warning", __doc__ or "", _find)
