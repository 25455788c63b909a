"""A number in another unit than its argument's.

What it does:
    Reports an argument that is named in cents, milliseconds, bytes, minutes and the like, and is
    compared with the very number that the message gives in a larger unit; and a percentage that
    is compared with a fraction such as 0.1, where it may be above 1.

Why:
    1000 cents are 10 euros. A bound in the wrong unit is too low by a hundred and stops everybody,
    or too high and stops nobody.

Fails:
    tools:
      transfer:
        args: {amount_cents: {type: integer, minimum: 1, maximum: 500000}}
        rules:
          - id: large
            when: args.amount_cents > 1000
            effect: deny
            message: At most 1000 EUR.
    ---
    tools:
      raise_salary:
        args: {percent: {type: number, exclusiveMinimum: 0, maximum: 20}}
        rules:
          - {id: large, when: args.percent > 0.1, effect: deny}

Passes:
    tools:
      transfer:
        args: {amount_cents: {type: integer, minimum: 1, maximum: 500000}}
        rules:
          - id: large
            when: args.amount_cents > 100000
            effect: deny
            message: At most 1000 EUR.

Fix:
    Convert the number into the argument's unit.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.proof.formula import clauses, formula
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["RULE"]

_UNITS: Final = (
    (names_in("cent cents pence pennies minor"), r"(?:eur|euros?|usd|dollars?|gbp|pounds?|[$€£])"),
    (names_in("ms millis milliseconds"), r"(?:s|seconds?|minutes?|min|hours?|h)"),
    (names_in("seconds secs sec"), r"(?:minutes?|min|hours?|h|days?)"),
    (names_in("minutes mins"), r"(?:hours?|h|days?)"),
    (names_in("bytes"), r"(?:[kmg]i?b|kilobytes?|megabytes?|gigabytes?)"),
    (names_in("kb kilobytes"), r"(?:[mg]i?b|megabytes?|gigabytes?)"),
    (names_in("mb megabytes"), r"(?:gi?b|gigabytes?)"),
    (names_in("grams"), r"(?:kg|kilograms?)"),
    (names_in("meters metres"), r"(?:km|kilometers?|kilometres?)"),
)
"""Words of names of arguments -> larger units, as messages write them."""
_PERCENT: Final = names_in("percent percentage pct")
_BOUNDS: Final = ("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum")


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        for clause in clauses(formula(condition.tree)) if condition is not None else ():
            atom = clause.atom
            if atom.kind not in {"<", "<="} or len(atom.term) < 2:
                continue
            said = _said(atom.term[-1], atom.operand, found.placed.rule.message or "")
            if said is None and _is_fraction(subject, found, atom.term, atom.operand):
                said = f'"{atom.term[-1]}" is a percentage, and {atom.operand} is a fraction'
            if said is not None:
                part = (clause.node.start, clause.node.end)
                yield Found(found.policy, found.path, said, _HINT, part=part)
                break
    for place in schemas(subject):
        yield from _of_schema(place)
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            said = _said(limit.of, limit.max, limit.message or "")
            if said is not None:
                yield Found(loaded, ("limits", index, "max"), said, _HINT)


def _of_schema(place: SchemaAt) -> Iterator[Found]:
    message = place.schema.get("message")
    for key in _BOUNDS if isinstance(message, str) else ():
        said = _said(place.name, place.schema.get(key), str(message))
        if said is not None:
            yield Found(place.policy, (*place.path, key), said, _HINT)


def _said(name: str, number: Any, message: str) -> str | None:
    """Say what is wrong where a message gives a number in a larger unit."""
    if isinstance(number, bool) or not isinstance(number, int | float) or not number:
        return None
    words = words_of(name)
    for small, large in _UNITS:
        own = next((word for word in words if word in small), None)
        if own is None:
            continue
        for match in re.finditer(
            rf"(?:{large}\s?)?(?P<number>[0-9][0-9,]*(?:\.[0-9]+)?)\s?(?:{large}(?!\w))?",
            message,
            re.IGNORECASE,
        ):
            has_unit = re.search("[^0-9,. ]", match[0])
            if has_unit and float(match["number"].rstrip(",").replace(",", "")) == number:
                return f'"{name}" is in {own}, and its message says "{match[0].strip()}"'
    return None


def _is_fraction(
    subject: Subject, found: PlacedCondition, term: tuple[str, ...], number: float
) -> bool:
    """Whether a percentage is compared with a part of one, and may be more than 1."""
    if term[0] != "args" or not 0 < number < 1 or _PERCENT.isdisjoint(words_of(term[-1])):
        return False
    return any(scene.base(term).highest[0] > 1 for scene in scenes(subject, found)[:1])


_HINT: Final = "convert the number into the argument's unit"

RULE: Final = LintRule("PE167", "another-unit", "warning", __doc__ or "", _find)
