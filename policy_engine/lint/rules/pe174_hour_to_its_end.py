"""An hour that lasts until its end.

What it does:
    Reports a condition that stops a call where `getHours` is above an hour, whose message says
    that the time ends at this hour: "between 9 and 17", "until 17:00".

Why:
    `getHours` is 17 from 17:00 to 17:59, so `> 17` stops nobody before six.

Fails:
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - id: office
            when: now.getHours("UTC") < 9 || now.getHours("UTC") > 17
            effect: deny
            message: Deploy between 9 and 17.

Passes:
    tools:
      deploy:
        args: {service: {enum: [api, web]}}
        rules:
          - id: office
            when: now.getHours("UTC") < 9 || now.getHours("UTC") >= 17
            effect: deny
            message: Deploy between 9 and 17.

Fix:
    Write `>=`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.proof.formula import clauses, formula
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]

_UNTIL: Final = re.compile(
    r"\b(?:until|till|after|"
    r"(?:between|from) [0-9]{1,2}(?:[:.]00)?(?: ?[ap]\.?m\.?)? (?:and|to|until)|"
    r"[0-9]{1,2}(?:[:.]00)?\s?[-\u2013])\s?"
    r"(?P<hour>[0-9]{1,2})(?P<minutes>[:.]00)?\s?(?P<half>[ap]\.?m\.?)?(?![0-9:%]|[.,][0-9])",
    re.IGNORECASE,
)
_TO_ITS_END: Final = re.compile(r":[1-5][0-9]|\b(?:inclusive|including|last)\b", re.IGNORECASE)
_HALF: Final = 12


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition, message = found.compiled.condition, found.placed.rule.message
        if condition is None or message is None or found.compiled.effect not in RESTRICTING:
            continue
        if _TO_ITS_END.search(message):
            continue
        ends = set(map(_hour, _UNTIL.finditer(message)))
        for clause in clauses(formula(condition.tree)) if ends else ():
            atom = clause.atom
            if atom.term[:2] != ("now", "getHours") or atom.kind != "<=" or clause.holds:
                continue
            if atom.operand in ends:
                yield Found(
                    found.policy,
                    found.path,
                    f"this begins at {atom.operand + 1}:00: {atom.operand}:59 is still free",
                    "write `>=`",
                    part=(clause.node.start, clause.node.end),
                    witness=_witness(subject, found, atom.term, atom.operand),
                )


def _hour(match: re.Match[str]) -> int:
    hour, half = int(match["hour"]), (match["half"] or "").lower()
    return hour + _HALF if half.startswith("p") and hour < _HALF else hour


def _witness(
    subject: Subject, found: PlacedCondition, term: tuple[str, ...], hour: int
) -> Witness | None:
    condition = found.compiled.condition
    for scene in scenes(subject, found)[:1] if condition is not None else ():
        for draft in scene.requests(fixed={term: hour}):
            witness = draft.witness("not stopped", silent=(found.compiled.name,))
            if confirmed(subject, witness):
                return witness
    return None


RULE: Final = LintRule("PE174", "hour-to-its-end", "warning", __doc__ or "", _find)
