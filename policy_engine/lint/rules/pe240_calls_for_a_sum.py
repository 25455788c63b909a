"""A limit that counts calls, and was meant to add up an amount.

What it does:
    Reports a limit without `of` whose tools all take an amount, where no other limit adds it up,
    and its id, message or description speaks of money or a sum, or its `max` is a thousand
    calls or more for one session, principal or agent, or in less than a hundred seconds.

Why:
    Without `of` a limit counts calls. `max: 10000` then permits ten thousand payments, each as
    large as a single one may be.

Fails:
    tools:
      pay: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 500}}}
    limits:
      - {id: daily, tools: [pay], max: 10000, per: day, by: [principal]}
    ---
    tools:
      pay: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 500}}}
    limits:
      - {id: daily-amount, tools: [pay], max: 800, per: day, by: [principal]}

Passes:
    tools:
      pay: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 500}}}
    limits:
      - {id: daily-amount, tools: [pay], of: args.amount, max: 10000, per: day, by: [principal]}
      - {id: payments, tools: [pay], max: 20, per: day, by: [principal]}

Fix:
    Write what is added up: `of: args.amount`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import names_in, words_of
from policy_engine.policy import Limit

__all__ = ["RULE"]

_MANY: Final = 1000
_FEW: Final = 50
"""So many calls are as likely meant as so much money."""
_FAST: Final = 10
_DAY: Final = 86_400
_NARROW: Final = frozenset({"session", "principal", "agent"})
_MONEY: Final = names_in("amount price total sum cost fee payment refund salary budget transfer")
"""What arguments are called that are added up; a quantity is counted by calls, too."""
_SUMS: Final = names_in(
    "amount amounts sum sums spend spending spent money budget value volume usd eur gbp dollars "
    "euros"
)
_CALLS: Final = re.compile(
    r"\b(?:calls?|times?|often|number|count|attempts?|requests?|orders|payments|refunds|"
    r"transfers|transactions|purchases)\b",
    re.IGNORECASE,
)
_SIGN: Final = re.compile(
    r"[$€£]\s?[0-9]|[0-9]\s?(?:[$€£]|(?:usd|eur|gbp|dollars|euros)\b)", re.IGNORECASE
)


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            if limit.of != "calls" or limit.stage not in {None, "tool_call"}:
                continue
            name = _summable(subject, limit)
            if name is not None and _means_a_sum(limit):
                number = f"{limit.max:,.10g}"
                message = f'this counts calls: {number} of them, of any "{name}"'
                hint = f"write `of: args.{name}` to add up what they say"
                yield Found(loaded, ("limits", index, "max"), message, hint, on_key=True)


def _means_a_sum(limit: Limit) -> bool:
    said = f"{limit.id.replace('-', ' ')} {limit.message or ''} {limit.description or ''}"
    if _SIGN.search(said):
        return True
    if not _CALLS.search(said) and not _SUMS.isdisjoint(words_of(said)):
        return limit.max >= _FEW
    if limit.max < _MANY:
        return False
    return not _NARROW.isdisjoint(limit.by) or _per_second(limit) > _FAST


def _per_second(limit: Limit) -> float:
    seconds = _DAY if limit.per == "day" else limit.per
    return limit.max / seconds if isinstance(seconds, int | float) else 0


def _summable(subject: Subject, limit: Limit) -> str | None:
    """Return the amount that every tool of a limit takes, and no limit adds up."""
    found: str | None = None
    for name in subject.names:
        if not any(matches_glob(glob, name) for glob in limit.tools or ()):
            continue
        amount = next(
            (
                argument
                for entry in subject.entries_of(name)
                for argument, schema in (entry.block.args or {}).items()
                if _is_money(argument, schema)
            ),
            None,
        )
        if amount is None or _is_summed(subject, name, amount):
            return None
        found = found or amount
    return found


def _is_money(argument: str, schema: Any) -> bool:
    is_number = isinstance(schema, Mapping) and schema.get("type") in ("number", "integer")
    return is_number and not _MONEY.isdisjoint(words_of(argument))


def _is_summed(subject: Subject, name: str, argument: str) -> bool:
    return any(
        limit.of == f"args.{argument}" and any(matches_glob(g, name) for g in limit.tools or ())
        for loaded in subject.policies
        for limit in loaded.policy.limits
    )


RULE: Final = LintRule("PE240", "calls-for-a-sum", "warning", __doc__ or "", _find)
