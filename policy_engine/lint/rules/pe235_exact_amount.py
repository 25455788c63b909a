"""An amount that is stopped when it is exactly one number.

What it does:
    Reports a rule that stops a call where an amount equals a number, and a larger amount gets
    through: `args.amount == 5000`.

Why:
    5,000.01 is no 5,000, and 4,999 and 6,000 are not either. A bound was meant.

Fails:
    tools:
      pay:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 9000}}
        rules:
          - {id: large, when: args.amount == 5000, effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 9000}}
        rules:
          - {id: large, when: args.amount >= 5000, effect: deny}

Fix:
    Write `>=`.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.pieces import slips_through, stopping_clauses
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.proof.schema import values_of
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import AMOUNTS, words_of

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found, clause in stopping_clauses(subject):
        atom, value = clause.atom, clause.atom.operand
        is_amount = atom.term[:1] == ("args",) and not AMOUNTS.isdisjoint(words_of(atom.term[-1]))
        if atom.kind != "==" or not clause.holds or not is_amount:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            continue
        more = (value + 0.01, value + 1, value * 2)
        drafts = (
            scene.plain({atom.term: other})
            for scene in scenes(subject, found)[:2]
            for other in more
            if values_of(*scene.schemas(atom.term)).admits(other)
        )
        witness = slips_through(subject, found, atom.term, drafts, "not stopped: it is more")
        if witness is not None:
            yield Found(
                found.policy,
                found.path,
                f"only exactly {value} is stopped, and more than that is not",
                f"write `{'.'.join(atom.term)} >= {value}`",
                part=(clause.node.start, clause.node.end),
                witness=witness,
            )


RULE: Final = LintRule("PE235", "exact-amount", "warning", __doc__ or "", _find)
