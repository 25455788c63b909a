"""A weekend without its Sunday.

What it does:
    Reports a condition that asks whether `getDayOfWeek` is above 5, or at most 5, where neither
    it nor another rule about the tool asks about 0, and the rule does not speak of Saturdays.

Why:
    The week of expressions begins on Sunday, which is 0, and ends on Saturday, which is 6.
    `getDayOfWeek() > 5` is Saturday alone, and `getDayOfWeek() <= 5` has the Sunday in it.

Fails:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: weekend, when: 'now.getDayOfWeek("Europe/Berlin") > 5', effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: weekend, when: 'now.getDayOfWeek("Europe/Berlin") in [0, 6]', effect: deny}

Fix:
    Write `in [0, 6]` for the weekend.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.clock import ends_week
from policy_engine.lint.finding import Witness
from policy_engine.lint.messages import spoken
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.proof.formula import Clause, clauses, formula
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]

_SUNDAY: Final = 0


_SATURDAY: Final = re.compile(r"\bsaturdays?\b(?!(?:,| and| or|/| ?-) ?sun)", re.IGNORECASE)


def _find(subject: Subject) -> Iterator[Found]:
    every = [(found, _asked(found)) for found in subject.conditions]
    for found, asked in every:
        split = [clause for clause in asked if ends_week(clause)]
        beside = (
            c for one, days in every if one is found or subject.meet(one, found) for c in days
        )
        if split and not any(map(_asks_of_sunday, beside)):
            if _SATURDAY.search(spoken(found.placed.rule)):
                continue  # it is about Saturdays alone, and says so
            node = split[0].node
            yield Found(
                found.policy,
                found.path,
                "Sunday is 0, so this puts it with Monday to Friday",
                "write `in [0, 6]` for the weekend",
                part=(node.start, node.end),
                witness=_witness(subject, found, split[0]),
            )


def _asked(found: PlacedCondition) -> list[Clause]:
    """Return what a rule asks about the day of the week."""
    condition = found.compiled.condition
    return [
        clause
        for clause in (clauses(formula(condition.tree)) if condition is not None else ())
        if clause.atom.term[:2] == ("now", "getDayOfWeek")
    ]


def _asks_of_sunday(clause: Clause) -> bool:
    kind, day = clause.atom.kind, clause.atom.operand
    if kind in {"==", "in"}:
        return _SUNDAY in (day if kind == "in" else (day,))
    return (kind == "<=" and day == _SUNDAY) or (kind == "<" and day == _SUNDAY + 1)


def _witness(subject: Subject, found: PlacedCondition, clause: Clause) -> Witness | None:
    """Return a request of a Sunday that a rule leaves alone, where it stops Saturdays."""
    if clause.holds:
        return None
    for scene in scenes(subject, found)[:1]:
        request = {**scene.plain().request, "now": "2026-01-04T12:00:00Z"}
        witness = Witness(request, "not stopped: it is Sunday", silent=(found.compiled.name,))
        if confirmed(subject, witness):
            return witness
    return None


RULE: Final = LintRule("PE164", "sunday-is-zero", "warning", __doc__ or "", _find)
