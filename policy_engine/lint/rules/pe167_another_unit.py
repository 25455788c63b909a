"""A number in another unit than its argument's.

What it does:
    Reports an argument that is named in cents, milliseconds, bytes, minutes and the like, and is
    compared with the very number that the message gives in a larger unit; a percentage that is
    compared with a fraction such as 0.1, where the message says 10 percent, or it is a discount or
    a raise; and `expires` that has the number of its message in another unit.

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

from policy_engine.lint.messages import CURRENCIES, numbers, sentences, spoken
from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.proof.formula import Clause, clauses, formula
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["RULE"]

_UNITS: Final = (
    (names_in("cent cents pence pennies minor"), CURRENCIES),
    (
        names_in("ms millis milliseconds"),
        names_in("s seconds second minutes minute min hours hour h"),
    ),
    (names_in("seconds secs sec"), names_in("minutes minute min hours hour h days day")),
    (names_in("minutes mins"), names_in("hours hour h days day")),
    (names_in("bytes"), names_in("kb mb gb kib mib gib kilobytes megabytes gigabytes")),
    (names_in("kb kilobytes"), names_in("mb gb mib gib megabytes gigabytes")),
    (names_in("mb megabytes"), names_in("gb gib gigabytes")),
    (names_in("grams"), names_in("kg kilograms kilogram")),
    (names_in("meters metres"), names_in("km kilometers kilometres kilometer kilometre")),
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
            if said is None and _is_fraction(subject, found, clause):
                said = f'"{atom.term[-1]}" is a percentage, and {atom.operand} is a fraction'
            if said is not None:
                part = (clause.node.start, clause.node.end)
                yield Found(found.policy, found.path, said, _HINT, part=part)
                break
    yield from _of_approvals(subject)
    for place in schemas(subject):
        yield from _of_schema(place)
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            said = _said(limit.of, limit.max, limit.message or limit.description or "")
            if said is not None:
                yield Found(loaded, ("limits", index, "max"), said, _HINT)


def _of_approvals(subject: Subject) -> Iterator[Found]:
    """Find an `expires` that is said with its number in another unit."""
    for found in subject.conditions:
        rule = found.placed.rule
        if rule.approval is None or not rule.message:
            continue
        for sentence in sentences(rule.message):
            named = [one for one in numbers(sentence) if one.unit.rstrip("s") in _SECONDS]
            if len(named) != 1 or not _ANSWERED.search(sentence[named[0].end :]):
                continue
            value, unit = named[0].values[0], named[0].unit.rstrip("s")
            given = rule.approval.expires / value if value else 0
            if given != _SECONDS[unit] and given in _SECONDS.values():
                said = (
                    f'its message says "{named[0].written}", and this is {value:g} of another unit'
                )
                path = (*found.placed.path, "approval", "expires")
                yield Found(found.policy, path, said, "write the unit that is meant")


_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86400}
_ANSWERED: Final = re.compile(r"^ ?\w{1,9} to (?:approve|answer|confirm|decide|sign)\b")


def _of_schema(place: SchemaAt) -> Iterator[Found]:
    message = place.schema.get("message")
    for key in _BOUNDS if isinstance(message, str) else ():
        number = place.schema.get(key)
        said = _said(place.name, number, str(message))
        is_share = isinstance(number, float) and not _PERCENT.isdisjoint(words_of(place.name))
        if said is None and is_share and _is_meant(number, str(message)):
            said = f'"{place.name}" is a percentage, and {number} is a fraction'
        if said is not None:
            yield Found(place.policy, (*place.path, key), said, _HINT)


def _said(name: str, number: Any, text: str) -> str | None:
    """Say what is wrong where a text gives a number in a larger unit, and in no other."""
    if isinstance(number, bool) or not isinstance(number, int | float) or not number:
        return None
    words = words_of(name)
    own, large = next(
        ((word, large) for small, large in _UNITS for word in words if word in small), ("", None)
    )
    if large is None:
        return None
    named = [one for sentence in sentences(text) for one in numbers(sentence)]
    if len({one.values for one in named}) != 1 or number not in named[0].values:
        return None
    other = next((one for one in named if one.unit in large), None)
    if other is None or any(one.unit and one.unit not in large for one in named):
        return None
    return f'"{name}" is in {own}, and its message says "{other.written}"'


def _is_fraction(subject: Subject, found: PlacedCondition, clause: Clause) -> bool:
    """Whether a percentage is compared with a part of one, and may be that many percent."""
    term, number = clause.atom.term, clause.atom.operand
    if term[0] != "args" or not 0 < number < 1 or _PERCENT.isdisjoint(words_of(term[-1])):
        return False
    if not any(scene.base(term).highest[0] >= 100 * number for scene in scenes(subject, found)[:1]):
        return False
    rule = found.placed.rule
    if _is_meant(number, f"{rule.message or ''}\n{rule.description or ''}"):
        return True
    names = [term[-1], *map(str, subject.covered(found))]
    said = [one for sentence in sentences(spoken(rule)) for one in numbers(sentence)]
    return not said and any(not _WHOLE.isdisjoint(words_of(name)) for name in names)


def _is_meant(number: Any, text: str) -> bool:
    """Whether a text has a number a hundred times as large as a fraction, in percent."""
    named = [one for sentence in sentences(text) for one in numbers(sentence)]
    return (
        len(named) == 1
        and named[0].unit in {"%", *_PERCENT}
        and any(abs(value - 100 * number) < _NEAR for value in named[0].values)
    )


_NEAR: Final = 1e-9
_WHOLE: Final = names_in("discount rebate raise salary voucher coupon")
"""What is hardly given by less than a percent."""
_HINT: Final = "convert the number into the argument's unit"

RULE: Final = LintRule("PE167", "another-unit", "warning", __doc__ or "", _find)
