"""A rule that speaks on the other side of its bound than its message.

What it does:
    Reports a rule whose message says that what is above a number needs an approval, and that
    speaks below it; one that says "at most" and stops what is less; the same the other way
    round; and one whose message joins two bounds by "or", where the condition joins them by `&&`.

Why:
    `<` and `>` are one key apart. The small refunds wait for somebody, and the large ones run.

Fails:
    tools:
      refund:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 900}}
        rules:
          - id: large
            when: args.amount < 100
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
            message: Refunds above 100 need an approval.
    ---
    tools:
      book:
        args:
          fare: {type: number, exclusiveMinimum: 0, maximum: 900}
          seats: {type: integer, minimum: 1, maximum: 9}
        rules:
          - id: dear
            when: args.fare > 500 && args.seats > 4
            effect: require_approval
            approval: {approvers: [travel], expires: 1h}
            message: Fares above 500 or more than 4 seats need an approval.

Passes:
    tools:
      refund:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 900}}
        rules:
          - id: large
            when: args.amount > 100
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
            message: Refunds above 100 need an approval.

Fix:
    Turn the comparison round, or write `||`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.formula import Clause, Formula, clauses, formula
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_NUMBER: Final = r"(?:EUR|USD|GBP)?\s*[$€£]?\s*(?P<number>[0-9][0-9,]{0,15}(?:\.[0-9]{1,6})?)"
_ASKED: Final = (
    r"[^.;]{0,80}?\b(?:needs?|requires?|is asked|are asked|asks?|approv\w+|confirm\w*)\b"
)
_STOPPED: Final = (
    (
        re.compile(rf"\b(?:at most|up to|no more than|not more than)\s+{_NUMBER}", re.IGNORECASE),
        True,
        False,
    ),
    (
        re.compile(rf"\b(?:at least|no less than|not less than)\s+{_NUMBER}", re.IGNORECASE),
        False,
        False,
    ),
    (
        re.compile(rf"\b(?:above|over|more than|exceeding)\s+{_NUMBER}{_ASKED}", re.IGNORECASE),
        True,
        True,
    ),
    (re.compile(rf"\b(?:below|under|less than)\s+{_NUMBER}{_ASKED}", re.IGNORECASE), False, True),
)
"""What a message says; whether it stops what is more; whether it is about approvals."""
_WISHED: Final = re.compile(
    r"\b(?:must|keep|stay|has to|have to|should|without|unless)\b", re.IGNORECASE
)
_JOINED: Final = re.compile(
    rf"\b(?:above|over|more than|exceeding)\b[^.;]{0, 20}?(?P<first>[0-9][0-9,]{0, 15})[^.;]{0, 60}?\bor\b"
    rf"[^.;]{0, 60}?(?P<second>[0-9][0-9,]{0, 15}){_ASKED}",
    re.IGNORECASE,
)


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition, message = found.compiled.condition, found.placed.rule.message
        if condition is None or message is None or found.compiled.effect not in RESTRICTING:
            continue
        whole = formula(condition.tree)
        clause = _turned(whole, message, asks=found.compiled.effect == "require_approval")
        if clause is not None:
            part = (clause.node.start, clause.node.end)
            said = "this speaks on the other side of the bound than its message"
            yield Found(found.policy, found.path, said, "turn the comparison round", part=part)
        elif _is_both(whole, message):
            said = "its message says that one of the two is enough, and this needs both"
            yield Found(found.policy, found.path, said, "write `||`")


def _bounds(whole: Formula) -> Iterator[Clause]:
    for clause in clauses(whole):
        if clause.atom.kind in {"<", "<="}:
            yield clause


def _turned(whole: Formula, message: str, *, asks: bool) -> Clause | None:
    """Return the comparison that speaks of less where the message speaks of more, or of more."""
    if _WISHED.search(message):
        return None
    sides = {(clause.atom.operand, clause.holds): clause for clause in _bounds(whole)}
    for form, stops_more, is_asked in _STOPPED:
        for match in form.finditer(message):
            number = float(match["number"].rstrip(",").replace(",", ""))
            wrong = sides.get((number, stops_more))
            if is_asked is asks and wrong and (number, not stops_more) not in sides:
                return wrong
    return None


def _is_both(whole: Formula, message: str) -> bool:
    """Whether two bounds must both be broken, of which the message says that one is enough."""
    joined = _JOINED.search(message)
    if joined is None or isinstance(whole, Clause) or not whole.all:
        return False
    numbers = {
        part.atom.operand
        for part in whole.parts
        if isinstance(part, Clause) and part.atom.kind in {"<", "<="} and not part.holds
    }
    named = {float(joined[name].replace(",", "")) for name in ("first", "second")}
    return len(named) > 1 and named <= numbers


RULE: Final = LintRule("PE166", "other-side", "warning", __doc__ or "", _find)
