"""A rule for people who have two roles at once, where one was to be enough.

What it does:
    Reports a rule that is silent only for who has each of several roles, and whose message names
    them in a row: "Only doctors and nurses", "must be an admin or an owner".

Why:
    `!("doctor" in principal.roles && "nurse" in principal.roles)` stops every doctor who is no
    nurse. Nobody gets through, until somebody takes the rule out.

Fails:
    tools:
      read_chart:
        args: {patient: {type: string, pattern: '^P[0-9]{6}$'}}
        rules:
          - id: staff
            when: '!("doctor" in principal.roles && "nurse" in principal.roles)'
            effect: deny
            message: Only doctors and nurses read charts.

Passes:
    tools:
      read_chart:
        args: {patient: {type: string, pattern: '^P[0-9]{6}$'}}
        rules:
          - id: staff
            when: '!("doctor" in principal.roles || "nurse" in principal.roles)'
            effect: deny
            message: Only doctors and nurses read charts.

Fix:
    Write `||` within the brackets, or `&&` between the two negations.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.messages import sentences, spoken
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.formula import Clause, Formula, formula
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import words_of

__all__ = ["RULE"]

_ROLES: Final = ("principal", "roles")
_BOTH: Final = re.compile(r"\b(?:both|as well as|all of|together|at once)\b", re.IGNORECASE)


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None or found.compiled.effect not in RESTRICTING:
            continue
        text = spoken(found.placed.rule)
        for missing in _missing(formula(condition.tree)):
            roles = [str(clause.atom.operand) for clause in missing]
            if not _BOTH.search(text) and _is_row(roles, text):
                named = " and ".join(f'"{role}"' for role in roles)
                message = f"this is silent only for who is {named} at once"
                ends = [(clause.node.start, clause.node.end) for clause in missing]
                part = (min(ends)[0], max(ends)[1])
                yield Found(found.policy, found.path, message, _HINT, part=part)


def _missing(whole: Formula) -> Iterator[list[Clause]]:
    """Go through alternatives that are each about a role that somebody does not have."""
    if isinstance(whole, Clause):
        return
    roles = [
        part
        for part in whole.parts
        if isinstance(part, Clause) and part.atom.term == _ROLES and not part.holds
    ]
    if not whole.all and len(roles) > 1 and all(one.atom.kind == "member" for one in roles):
        yield roles
    for part in whole.parts:
        yield from _missing(part)


def _is_row(roles: list[str], text: str) -> bool:
    """Whether a sentence lets roles through one beside the other: by "or", or in the plural."""
    if not all(words_of(role) for role in roles):
        return False
    spelt = "|".join(r"[\s_-]?".join(map(re.escape, words_of(role))) for role in roles)
    either = rf"\b(?:{spelt})s?(?:,? or (?:an? |the )?(?:{spelt})s?\b)+"
    row = rf"(?:{spelt})s(?:(?:,|,? and) (?:the )?(?:{spelt})s\b)+"
    plural = rf"^only (?:the )?{row}|^(?:the )?{row} only$"
    return any(
        _ONLY.search(one)
        and (re.search(either, one, re.IGNORECASE) or re.search(plural, one, re.IGNORECASE))
        for one in sentences(text)
    )


_ONLY: Final = re.compile(
    r"\b(?:only|needs?|requires?|must be|has to be|reserved for|restricted to)\b", re.IGNORECASE
)
_HINT: Final = "write `||` within the brackets, or `&&` between the two negations"

RULE: Final = LintRule("PE173", "every-role", "warning", __doc__ or "", _find)
