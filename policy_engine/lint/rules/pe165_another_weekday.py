"""A weekday, a month or a day of the month by the number of another.

What it does:
    Reports a condition that compares `getDayOfWeek` with one number, where the id, the message or
    the description of its rule says "on" another day of the week, or names it in the plural; one
    that asks about other days than those of "Monday to Friday" or "weekends" in its message or
    description; `getMonth` of a month beside the one that is named; and `getDayOfMonth` of the 1st
    that is 1.

Why:
    Sunday is 0 and Saturday 6. Other languages begin on Monday, so Friday is easily taken for 4,
    which is Thursday. Months and days of a month begin with 0, too; `getDate` begins with 1.

Fails:
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - {id: no-fridays, when: now.getDayOfWeek() == 4, effect: deny}
    ---
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - id: closed
            when: now.getDayOfWeek() in [5, 6]
            effect: deny
            message: Deploy from Monday to Friday.

Passes:
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - {id: no-fridays, when: now.getDayOfWeek() == 5, effect: deny}

Fix:
    Write the number that is meant: Sunday and January are 0.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Final

from policy_engine.lint.clock import DAYS, asked_of, days_said, ends_week, zone_of
from policy_engine.lint.messages import spoken
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.formula import Clause, clauses, formula
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]

_WEEK: Final = "getDayOfWeek"
_DAYS: Final = tuple(day.lower() for day in DAYS)
_NAMED: Final = re.compile(rf"\b({'|'.join(_DAYS)})(s?)\b")
_ON: Final = re.compile(r"\b(?:on|no|every|each)\s{1,2}(?:an?\s|the\s)?$")
_OTHERWISE: Final = re.compile(
    r"\b(?:before|after|eve|until|till|from|since|except|but|other|not|next|following|for|"
    r"previous|weekends?|again|back|return|come|call|ask|wait|try|tomorrow|(?:re)?opens?|instead|can|"
    r"possible|allowed)\b"
)
"""Words with which a text speaks of a day to say another."""


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        every = list(clauses(formula(condition.tree))) if condition is not None else []
        for method, finds in _ASKED.items():
            asked = [clause for clause in every if clause.atom.term[:2] == ("now", method)]
            if len(asked) == 1 and asked[0].atom.kind in {"==", "in"}:
                said = finds(asked[0], spoken(found.placed.rule))
                if said is not None:
                    node = asked[0].node
                    yield Found(found.policy, found.path, *said, part=(node.start, node.end))
    yield from _other_days(subject)


def _other_days(subject: Subject) -> Iterator[Found]:
    """Find rules that ask about other days than those that they name together."""
    asking = [(found, clause) for found in subject.conditions for clause in _first_of_week(found)]
    for found, clause in asking:
        condition, rule = found.compiled.condition, found.placed.rule
        if condition is None or ends_week(clause):
            continue
        whole = formula(condition.tree)
        days, zone = asked_of(whole, _WEEK), zone_of(whole, _WEEK)
        is_alone = not any(one is not found and subject.meet(one, found) for one, _ in asking)
        for text in (rule.message, rule.description) if days else ():
            said = days_said(text or "", zone)
            wrong = _wrong_days(days or frozenset(), said[1], is_alone=is_alone) if said else None
            if said is not None and wrong is not None:
                message = f'its days are "{said[0]}", and {wrong}'
                part = (clause.node.start, clause.node.end)
                yield Found(found.policy, found.path, message, _COUNTED, part=part)
                break


def _first_of_week(found: PlacedCondition) -> Iterator[Clause]:
    condition = found.compiled.condition
    if condition is not None and found.compiled.effect in RESTRICTING:
        whole = formula(condition.tree)
        about = (c for c in clauses(whole) if c.atom.term[:2] == ("now", _WEEK))
        yield from islice(about, 1)


def _wrong_days(asked: frozenset[int], said: frozenset[int], *, is_alone: bool) -> str | None:
    """Say what is wrong with days that are neither those that are said nor the others."""
    rest = frozenset(range(len(DAYS))) - said
    if asked in (said, rest):
        return None
    for side in (said, rest):
        if asked < side:  # a rule about one of several days speaks of it alone
            is_slip = is_alone and len(side - asked) == 1
            return f"this leaves out {_listed(side - asked)}" if is_slip else None
    return f"this is {_listed(asked)}"


def _listed(days: frozenset[int]) -> str:
    first = [DAYS[(day + 1) % 7] for day in sorted((day - 1) % 7 for day in days)]
    return first[0] if len(first) == 1 else f"{', '.join(first[:-1])} and {first[-1]}"


def _of_week(clause: Clause, text: str) -> tuple[str, str] | None:
    numbers, day = set(_numbers(clause)), _named(text.lower())
    if day is None or len(numbers) != 1 or day in numbers:
        return None
    (number,) = numbers
    said = _DAYS[number].capitalize() if number < len(_DAYS) else "no day"
    return f"{_DAYS[day].capitalize()} is {day}, and this is {said}", _COUNTED


def _of_year(clause: Clause, text: str) -> tuple[str, str] | None:
    numbers = set(_numbers(clause))
    named = {_MONTHS.index(match[1].capitalize()) for match in _MONTH.finditer(text)}
    if len(numbers) != 1 or len(named) != 1 or _OTHERWISE.search(text.lower()):
        return None
    (number,), (month,) = numbers, named
    if number not in {month - 1, month + 1} or number >= len(_MONTHS):
        return None
    message = f"{_MONTHS[month]} is {month}, and this is {_MONTHS[number]}"
    return message, "January is 0, February 1, and so on to December, 11"


def _of_month(clause: Clause, text: str) -> tuple[str, str] | None:
    numbers, named = set(_numbers(clause)), list(_ORDINAL.finditer(text))
    if len(numbers) != 1 or len(named) != 1 or _OTHERWISE.search(text.lower()):
        return None
    (number,) = numbers
    day = int(named[0]["day"]) if named[0]["day"] else 1
    if number != day:
        return None
    hint = "`getDate` begins with 1, and `getDayOfMonth` with 0"
    return f"`getDayOfMonth` begins with 0, so this is day {day + 1} of the month", hint


def _named(text: str) -> int | None:
    """Return the only day that a text names, where it says that something is on this day."""
    found = list(_NAMED.finditer(text))
    if len({match[1] for match in found}) != 1 or _OTHERWISE.search(text):
        return None
    is_on = any(
        match[2] or _ON.search(text[max(0, match.start() - 12) : match.start()]) for match in found
    )
    return _DAYS.index(found[0][1]) if is_on else None


def _numbers(clause: Clause) -> Iterator[int]:
    operand = clause.atom.operand
    for number in operand if clause.atom.kind == "in" else (operand,):
        if isinstance(number, int) and number >= 0:
            yield number


_COUNTED: Final = "Sunday is 0, Monday 1, and so on to Saturday, 6"
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_MONTH: Final = re.compile(
    r"\b(?:[Ii]n|[Dd]uring|[Ee]very|[Ee]ach|[Nn]o) "
    rf"({'|'.join((*_MONTHS, *(one.lower() for one in _MONTHS if one not in {'March', 'May'})))})\b"
)
_ORDINAL: Final = re.compile(
    r"\b(?:first(?: day)?|(?P<day>[0-9]{1,2})(?:st|nd|rd|th)) of (?:the|each|every) month\b",
    re.IGNORECASE,
)
_ASKED: Final[Mapping[str, Callable[[Clause, str], tuple[str, str] | None]]] = {
    "getDayOfWeek": _of_week,
    "getMonth": _of_year,
    "getDayOfMonth": _of_month,
}
"""A method of `now` -> what finds that a text names another day or month."""

RULE: Final = LintRule("PE165", "another-weekday", "warning", __doc__ or "", _find)
