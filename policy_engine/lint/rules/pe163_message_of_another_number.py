"""A message with another bound than the rule's.

What it does:
    Reports a message or description of an argument, a rule or a limit that names a bound, such as
    "at most 50", "above 1,000" or "up to 3", where nothing that it stands beside has that number,
    nor a multiple of it by a unit.

Why:
    One of the two is old. The model is told what does not hold, and who reviews the policy reads
    the sentence and not the number.

Fails:
    tools:
      refund:
        args:
          amount:
            {type: number, exclusiveMinimum: 0, maximum: 500, message: A refund is at most 50.}
    ---
    tools:
      refund:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 5000}}
        rules:
          - id: large
            when: args.amount > 1000
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
            message: Refunds above 100 need an approval.

Passes:
    tools:
      refund:
        args:
          amount:
            {type: number, exclusiveMinimum: 0, maximum: 500, message: A refund is at most 500.}

Fix:
    Write the number that holds into both.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from policy_engine.cel.nodes import Literal
from policy_engine.lint.places import nodes, schemas
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Path

__all__ = ["RULE"]

_BOUND: Final = re.compile(
    r"\b(?:at most|at least|up to|no more than|no less than|not more than|more than|less than|"
    r"fewer than|above|over|below|under|exceeds?|maximum(?: of| is)?|minimum(?: of| is)?|"
    r"limit(?:ed)?(?: of| is| to))"
    r"(?:\s+(?:EUR|USD|GBP|CHF))?\s*[$€£]?\s*"
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)(?P<more>[\w%:/.-]*)",
    re.IGNORECASE,
)
_UNITS: Final = (
    1, 7, 12, 24, 30, 60, 90, 100, 365, 1000, 1024, 3600, 86400, 604800, 10**6, 2**20, 10**9, 2**30
)  # fmt: skip
_THOUSANDS: Final = {"k": 1000, "m": 10**6, "kb": 1000, "mb": 10**6, "gb": 10**9}
_KEYWORDS: Final = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "maxBytes", "minItems", "maxItems", "minProperties", "maxProperties", "multipleOf", "const",
)  # fmt: skip


def _find(subject: Subject) -> Iterator[Found]:
    yield from _in_schemas(subject)
    yield from _in_rules(subject)
    yield from _in_limits(subject)


def _in_schemas(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        text = place.schema.get("message")
        if isinstance(text, str) and _BOUND.search(text):
            bounds = set(_of_schema(place.schema))
            yield from _wrong(place.policy, (*place.path, "message"), text, bounds)


def _in_rules(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        for key in ("message", "description"):
            text = getattr(found.placed.rule, key)
            if isinstance(text, str) and _BOUND.search(text) and not _asks_elsewhere(found):
                bounds = set(_of_rule(subject, found))
                yield from _wrong(found.policy, (*found.placed.path, key), text, bounds)


def _in_limits(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            bounds = {limit.max, *_numbers([limit.per])}
            for key in ("message", "description"):
                text = getattr(limit, key)
                if isinstance(text, str):
                    yield from _wrong(loaded, ("limits", index, key), text, bounds)


def _wrong(loaded: LoadedPolicy, path: Path, text: str, bounds: set[float]) -> Iterator[Found]:
    """Find the bound that a text names and nothing has."""
    named = list(_named(text))
    if not named or not any(bounds) or any(_is_meant(number, bounds) for _, number in named):
        return
    shown = sorted(bounds)
    said = f'"{named[0][0]}" stands here, and the bound is {_listed(shown)}'
    yield Found(loaded, path, said, "write the number that holds into both")


def _listed(shown: list[float]) -> str:
    return " or ".join(f"{number:,.10g}" for number in [one for one in shown if one][-2:])


def _named(text: str) -> Iterator[tuple[str, float]]:
    """Go through the bounds that a text names: as written, and the number."""
    for match in _BOUND.finditer(text):
        more = match["more"].strip(".:/-").lower()
        if more and more not in _THOUSANDS and not more.isalpha():
            continue  # a part of a date, a version or an id
        number = float(match["number"].replace(",", ""))
        yield match[0].rstrip(".:/-"), number * (_THOUSANDS.get(more, 1) if len(more) == 1 else 1)


def _is_meant(number: float, bounds: set[float]) -> bool:
    """Whether a bound has a number, its neighbour, or it in another unit."""
    return any(
        abs(number * unit - bound) <= 1 or abs(bound * unit - number) <= 1
        for unit in _UNITS
        for bound in bounds
    )


def _of_schema(schema: Any) -> Iterator[float]:
    """Go through the numbers that a schema bounds something by, itself or in its parts."""
    if isinstance(schema, Mapping):
        yield from _numbers(schema.get(key) for key in _KEYWORDS)
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            yield from map(float, re.findall(r"[0-9]+", pattern))
        yield from _numbers(schema.get("enum") or ())
        for value in schema.values():
            yield from _of_schema(value)
    elif isinstance(schema, list | tuple):
        for one in schema:
            yield from _of_schema(one)


def _asks_elsewhere(found: PlacedCondition) -> bool:
    """Whether a bound may come from what the application or the caller says."""
    condition = found.compiled.condition
    return condition is not None and any(
        path[0] in {"facts", "context"} or path[:2] == ("principal", "attrs")
        for path in condition.reads
    )


def _of_rule(subject: Subject, found: PlacedCondition) -> Iterator[float]:
    """Go through the numbers that a rule compares with, and those of what it looks at."""
    rule, condition = found.placed.rule, found.compiled.condition
    if condition is not None:
        for node in nodes(condition.tree):
            if isinstance(node, Literal):
                yield from _values(node.value)
    if rule.check is not None:
        yield from _values(rule.check.model_dump(exclude_defaults=True))
    tool = found.placed.tool
    if tool is not None and tool.args:
        yield from _of_schema(list(tool.args.values()))
    read = (
        {path[1] for path in condition.reads if path[0] == "args" and len(path) > 1}
        if condition
        else ()
    )
    for name in read:
        yield from subject.once(f"bounds of {name}", partial(_of_argument, subject, name))


def _of_argument(subject: Subject, name: str) -> Iterator[float]:
    for place in schemas(subject):
        if place.argument == name and place.entry is not None and place.is_top:
            yield from _of_schema(place.schema)


def _values(value: object) -> Iterator[float]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _values(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _values(one)
    elif isinstance(value, str):
        yield from (float(digits) for digits in re.findall(r"[0-9]+", value))
    else:
        yield from _numbers([value])


def _numbers(values: Iterable[object]) -> Iterator[float]:
    for value in values:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield float(value)


RULE: Final = LintRule("PE163", "message-of-another-number", "warning", __doc__ or "", _find)
