"""A night that ends at midnight.

What it does:
    Reports a rule whose id, message or description says "night", and whose condition asks only
    whether the hour is 20 or later, and not whether it is early.

Why:
    The hours begin at 0 again. At half past midnight it is night, and `getHours() >= 22` is false.

Fails:
    tools:
      unlock:
        args: {door: {enum: [front, back]}}
        rules:
          - {id: night, when: 'now.getHours("Europe/Berlin") >= 22', effect: deny}

Passes:
    tools:
      unlock:
        args: {door: {enum: [front, back]}}
        rules:
          - id: night
            when: now.getHours("Europe/Berlin") >= 22 || now.getHours("Europe/Berlin") < 6
            effect: deny

Fix:
    Add the early hours: `|| now.getHours("Europe/Berlin") < 6`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.messages import spoken
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.proof.formula import Clause, clauses, formula
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]

_NIGHT: Final = re.compile(
    r"\b(?:(?:at|by|in the|during the) night|nights|night (?:shift|hours|time))\b|^(?:\w+ )?night$",
    re.IGNORECASE | re.MULTILINE,
)
_ENDS: Final = re.compile(
    r"\b(?:until|till|before|by [0-9]|midnight|tonight|a night|per night|nights? (?:stay|of)|later|"
    r"between|from)\b|24|0:00",
    re.IGNORECASE,
)
"""Words of a text that is about the evening, or about nights that somebody stays."""
_EVENING: Final = 20
_LAST: Final = 23


def _find(subject: Subject) -> Iterator[Found]:
    every = [(found, _hours(found)) for found in subject.conditions]
    for found, hours in every:
        late = [clause for clause in hours if not clause.holds and clause.atom.operand < _LAST]
        rest = [clause for clause in hours if clause not in late]
        if not late or any(clause.atom.operand < _LAST for clause in rest):
            continue
        if any(clause.atom.operand < _EVENING - 1 for clause in late):
            continue
        others = (h for one, h in every if one is not found and subject.meet(one, found))
        text = spoken(found.placed.rule)
        if not _NIGHT.search(text) or _ENDS.search(text) or any(map(_are_early, others)):
            continue
        node = late[0].node
        yield Found(
            found.policy,
            found.path,
            "this night ends at midnight: the hours begin at 0 again",
            'add the early hours, such as `|| now.getHours("Europe/Berlin") < 6`',
            part=(node.start, node.end),
            witness=_witness(subject, found),
        )


def _hours(found: PlacedCondition) -> list[Clause]:
    """Return the comparisons of the hour in a rule that stops something."""
    condition = found.compiled.condition
    if condition is None or found.compiled.effect not in RESTRICTING:
        return []
    return [
        clause
        for clause in clauses(formula(condition.tree))
        if clause.atom.term[:2] == ("now", "getHours") and clause.atom.kind in {"<", "<="}
    ]


def _are_early(hours: list[Clause]) -> bool:
    return any(clause.holds and clause.atom.operand < _EVENING for clause in hours)


def _witness(subject: Subject, found: PlacedCondition) -> Witness | None:
    for scene in scenes(subject, found)[:1]:
        request = {**scene.plain().request, "now": "2026-01-05T02:30:00Z"}
        witness = Witness(
            request, "not stopped at 2:30 at night, UTC", silent=(found.compiled.name,)
        )
        if confirmed(subject, witness):
            return witness
    return None


RULE: Final = LintRule("PE168", "night-without-morning", "warning", __doc__ or "", _find)
