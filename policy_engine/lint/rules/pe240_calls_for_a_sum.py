"""A limit that counts calls, and was meant to add up an amount.

What it does:
    Reports a limit without `of` whose tools all take an amount, where no other limit adds it up,
    and its message or description says its `max` in a currency, its id ends with a sum, such as
    `daily-amount`, or nothing is said, and its `max` is a thousand calls or more for one session,
    principal or agent, or in less than a hundred seconds.

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
from policy_engine.lint.messages import CURRENCIES, numbers, sentences
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
_WINDOWS: Final = names_in("a an per day daily hour hourly week weekly month monthly today each")


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
    """Whether a limit's `max` is money, or so large that it is no count of calls."""
    said = f"{limit.message or ''}\n{limit.description or ''}"
    named = [one for sentence in sentences(said) for one in numbers(sentence)]
    tools = {word.rstrip("s") for tool in limit.tools or () for word in words_of(tool)}
    words = [word for word in words_of(limit.id) if word.rstrip("s") not in tools]
    is_count = _CALLS.search(f"{limit.id.replace('-', ' ')} {said}") is not None
    if any(limit.max in one.values and one.unit in CURRENCIES for one in named):
        return True
    if is_count or len(words) < len(words_of(limit.id)):
        return False
    left = [word for word in words if word not in _WINDOWS]
    if left and left[-1] in _SUMS:
        return limit.max >= _FEW and not any(limit.max in one.values for one in named)
    if limit.max < _MANY or said.strip():
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
