"""A weekday by the number of another day.

What it does:
    Reports a condition that compares `getDayOfWeek` with one number, where the id, the message or
    the description of its rule says "on" another day of the week, or names it in the plural.

Why:
    Sunday is 0 and Saturday 6. Other languages begin on Monday, so Friday is easily taken for 4,
    which is Thursday.

Fails:
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - {id: no-fridays, when: now.getDayOfWeek() == 4, effect: deny}

Passes:
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - {id: no-fridays, when: now.getDayOfWeek() == 5, effect: deny}

Fix:
    Write the day's number: Sunday is 0, Monday 1, and so on to Saturday, 6.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.messages import spoken
from policy_engine.lint.proof.formula import Clause, clauses, formula
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_NAMED: Final = re.compile(rf"\b({'|'.join(_DAYS)})(s?)\b")
_ON: Final = re.compile(r"\b(?:on|no|every|each)\s{1,2}(?:an?\s|the\s)?$")
_OTHERWISE: Final = re.compile(
    r"\b(?:before|after|eve|until|till|from|since|except|but|other|not|next|following|for|"
    r"previous|weekends?|again|back|return|come|call|ask|wait|try|tomorrow|(?:re)?opens?|instead)\b"
)
"""Words with which a text speaks of a day to say another."""


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        asked = (
            [clause for clause in clauses(formula(condition.tree)) if _is_day(clause)]
            if condition is not None
            else []
        )
        if len(asked) != 1 or asked[0].atom.kind not in {"==", "in"}:
            continue
        numbers, day = set(_numbers(asked[0])), _named(spoken(found.placed.rule).lower())
        if day is None or len(numbers) != 1 or day in numbers:
            continue
        (number,) = numbers
        node = asked[0].node
        said = _DAYS[number].capitalize() if number < len(_DAYS) else "no day"
        message = f"{_DAYS[day].capitalize()} is {day}, and this is {said}"
        hint = "Sunday is 0, Monday 1, and so on to Saturday, 6"
        yield Found(found.policy, found.path, message, hint, part=(node.start, node.end))


def _named(text: str) -> int | None:
    """Return the only day that a text names, where it says that something is on this day."""
    found = list(_NAMED.finditer(text))
    if len({match[1] for match in found}) != 1 or _OTHERWISE.search(text):
        return None
    is_on = any(
        match[2] or _ON.search(text[max(0, match.start() - 12) : match.start()]) for match in found
    )
    return _DAYS.index(found[0][1]) if is_on else None


def _is_day(clause: Clause) -> bool:
    return clause.atom.term[:2] == ("now", "getDayOfWeek")


def _numbers(clause: Clause) -> Iterator[int]:
    operand = clause.atom.operand
    for number in operand if clause.atom.kind == "in" else (operand,):
        if isinstance(number, int) and number >= 0:
            yield number


RULE: Final = LintRule("PE165", "another-weekday", "warning", __doc__ or "", _find)
