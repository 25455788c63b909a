"""An approval above an amount that two smaller calls go round.

What it does:
    Reports a rule that asks for an approval above an amount of money, where no limit counts the
    calls of the tool or adds up the amount. Only for the pedantic persona.

Why:
    Who may not pay 5,000 without being asked pays 999 six times. What the rule is to keep small
    has no end.

Fails:
    tools:
      transfer:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 5000}}
        rules:
          - id: large
            when: args.amount > 1000
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}

Passes:
    tools:
      transfer:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 5000}}
        rules:
          - id: large
            when: args.amount > 1000
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
    limits:
      - {id: sum, tools: [transfer], of: args.amount, max: 2000, per: day, by: [principal]}

Fix:
    Add a limit with `of: args.amount`, per day and principal.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.formula import clauses, formula
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["RULE"]

_MONEY: Final = names_in("amount price cost fee payment refund total")
_MOVING: Final = names_in("pay payment transfer refund wire send withdraw payout purchase buy")


def _find(subject: Subject) -> Iterator[Found]:
    counted = {
        name
        for loaded in subject.policies
        for limit in loaded.policy.limits
        for name in subject.names
        if limit.tools is None or any(matches_glob(glob, name) for glob in limit.tools)
    }
    said: set[str] = set()
    for found in subject.conditions:
        argument = _bounded(found)
        if argument is None:
            continue
        for name in subject.covered(found):
            if name in counted or name in said or _MOVING.isdisjoint(words_of(name)):
                continue
            entries = subject.entries_of(name)
            if any(entry.block.effect != "allow" for entry in entries):
                continue
            said.add(name)
            yield Found(
                found.policy,
                found.path,
                f'many calls of "{name}" that are small go round this: no limit counts them',
                f"add a limit with `of: args.{argument}`",
            )


def _bounded(found: PlacedCondition) -> str | None:
    """Return the amount above which a rule asks for an approval."""
    condition = found.compiled.condition
    if condition is None or found.stage != "tool_call":
        return None
    if found.compiled.effect not in RESTRICTING or found.compiled.effect == "deny":
        return None
    for clause in clauses(formula(condition.tree)):
        atom = clause.atom
        is_above = atom.kind in {"<", "<="} and not clause.holds and atom.operand > 0
        if is_above and atom.term[0] == "args" and not _MONEY.isdisjoint(words_of(atom.term[-1])):
            return atom.term[1]
    return None


RULE: Final = LintRule("PE245", "split-amount", "info", __doc__ or "", _find, persona="pedantic")
