"""A weekday by the number of another day.

What it does:
    Reports a condition that compares `getDayOfWeek` with numbers, where the id, the message or the
    description of its rule names one day of the week, and none of the numbers is that day's.

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
_NAMED: Final = re.compile(rf"\b({'|'.join(_DAYS)})s?\b")


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        asked = (
            [clause for clause in clauses(formula(condition.tree)) if _is_day(clause)]
            if condition is not None
            else []
        )
        if not asked or any(clause.atom.kind not in {"==", "in"} for clause in asked):
            continue
        named = set(_NAMED.findall(spoken(found.placed.rule).lower()))
        numbers = {number for clause in asked for number in _numbers(clause)}
        if len(named) != 1:
            continue
        (day,) = named
        if _DAYS.index(day) not in numbers:
            node = asked[0].node
            said = ", ".join(
                _DAYS[number].capitalize() for number in sorted(numbers) if number < len(_DAYS)
            )
            message = f"{day.capitalize()} is {_DAYS.index(day)}, and this is {said or 'no day'}"
            hint = "Sunday is 0, Monday 1, and so on to Saturday, 6"
            yield Found(found.policy, found.path, message, hint, part=(node.start, node.end))


def _is_day(clause: Clause) -> bool:
    return clause.atom.term[:2] == ("now", "getDayOfWeek")


def _numbers(clause: Clause) -> Iterator[int]:
    operand = clause.atom.operand
    for number in operand if clause.atom.kind == "in" else (operand,):
        if isinstance(number, int) and number >= 0:
            yield number


RULE: Final = LintRule("PE165", "another-weekday", "warning", __doc__ or "", _find)
