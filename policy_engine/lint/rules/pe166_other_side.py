"""A rule that speaks on the other side of its bound than its message.

What it does:
    Reports a rule whose message says that what is above a number needs an approval, and that
    speaks below it; one that says "at most", or that what is above is not allowed, and stops what
    is less; the same the other way round; one that denies the bound itself, where its message says
    that who has it may ("Only people of 18 and over"); one whose message says that somebody
    approves at night, and which asks by day; and one whose message joins two bounds by "or", where
    the condition joins them by `&&`.

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
      pay:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 900}}
        rules:
          - {id: most, when: args.amount < 500, effect: deny, message: You may pay at most 500.}
          - id: no-large-ones
            when: args.amount <= 400
            effect: deny
            message: Payments above 400 are not allowed.
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

from policy_engine.lint.clock import asked_of, hours_said, zone_of
from policy_engine.lint.messages import Number, numbers, sentences
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.proof.formula import Clause, Formula, clauses, formula
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_MOST: Final = re.compile(
    r"^(?:(?:an?|the|each|every) [\w ]{1,40}? (?:is|has|costs) |[\w ]{1,30}? (?:are|have|cost) |"
    r"(?:please )?(?:keep|leave|order|book|give|take) )?"
    r"(?:(?P<most>at most|up to|no more than|not more than)|at least|no less than|"
    r"not less than)\s{0,2}$",
    re.IGNORECASE,
)
_MAY: Final = re.compile(
    r"^(?:you|we|agents?|clients|clerks|customers|employees|guests|members|staff|users) "
    r"(?:may|can) (?:book|buy|give|order|pay|refund|send|spend|take|transfer|withdraw)"
    r"(?: out| back)? (?P<most>at most|up to|no more than|not more than)\s{0,2}$",
    re.IGNORECASE,
)
_STOPPED: Final = re.compile(
    r"^\s?(?:[$€£]|[^\W\d_]+)? (?:is|are|will be) (?:blocked|declined|denied|forbidden|prohibited|"
    r"refused|rejected|stopped|not (?:accepted|allowed|paid|permitted|possible))$",
    re.IGNORECASE,
)
_NONE: Final = re.compile(r"^(?:no|never any) [\w ]{1,40}$", re.IGNORECASE)
_LAST: Final = re.compile(
    r"^\s?(?:[$€£]|[^\W\d_]+)?(?: (?:an?|per|each|in one|for one|at once|to|from|allowed)\b"
    r"[\w ]{0,20})?$"
)
"""How a sentence ends that says what may be, and not what happens to it."""
_BEYOND: Final = re.compile(
    r"\b(?:(?P<more>above|over|more than|exceeding)|below|under|less than|fewer than)\s{0,2}$",
    re.IGNORECASE,
)
_NEEDED: Final = re.compile(
    r"\b(?:needs?|requires?)\b(?: \w+){0,3} (?:approv|confirm|sign)|"
    r"\b(?:is|are) asked about$|\bmust be (?:approved|confirmed)\b",
    re.IGNORECASE,
)
_OTHERWISE: Final = re.compile(
    r"\b(?:no|nobody|not|never|none|nothing|without|unless|only|except|all|any|others?|else|if|when|where|"
    r"until|elsewhere|instead|use|call|must|keep|stay|has to|have to|should|but|than that)\b|n't\b",
    re.IGNORECASE,
)
"""Words with which a sentence may say the opposite."""


_AND_MORE: Final = re.compile(
    r"^(?: years?(?: of age)?)? (?:and|or) (?:(?P<more>over|above|older|more|up)|under|below|"
    r"younger|less|fewer)\b",
    re.IGNORECASE,
)
_ONLY: Final = re.compile(r"^only\b[\w ]{0,40}$", re.IGNORECASE)
_STAYS: Final = re.compile(
    r"\b(?:not|no|never|except|unless|without|approv|ask|refus|den|stop|block|forbid)",
    re.IGNORECASE,
)
_NIGHT: Final = re.compile(r"^(?:at|by|during the) night\b|\bat night$", re.IGNORECASE)
_APPROVED: Final = re.compile(r"\b(?:approv|confirm|sign)", re.IGNORECASE)


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition, message = found.compiled.condition, found.placed.rule.message
        if condition is None or message is None or found.compiled.effect not in RESTRICTING:
            continue
        whole = formula(condition.tree)
        asks = found.compiled.effect == "require_approval"
        bound = None if asks else _denied_bound(whole, message)
        if bound is not None:
            part = (bound.node.start, bound.node.end)
            hint = f"compare by `{'<' if bound.holds else '>'}`"
            said = f"this stops {bound.atom.operand:,.10g} as well, which its message lets through"
            yield Found(found.policy, found.path, said, hint, part=part)
            continue
        if asks and _asks_by_day(whole, message):
            said = "this speaks at all hours but those that its message names"
            yield Found(found.policy, found.path, said, "turn the comparisons round")
            continue
        clause = _turned(whole, message, asks=asks)
        if clause is not None:
            part = (clause.node.start, clause.node.end)
            said = "this speaks on the other side of the bound than its message"
            yield Found(found.policy, found.path, said, "turn the comparison round", part=part)
        elif asks and _is_both(whole, message):
            said = "its message says that one of the two is enough, and this needs both"
            yield Found(found.policy, found.path, said, "write `||`")


def _turned(whole: Formula, message: str, *, asks: bool) -> Clause | None:
    """Return the comparison that speaks of less where the message speaks of more, or of more.

    The message names one number, and the condition compares with it alone.
    """
    bounds = [clause for clause in clauses(whole) if clause.atom.kind in {"<", "<="}]
    named = [(one, number) for one in sentences(message) for number in numbers(one)]
    if len(bounds) != 1 or len(named) != 1 or bounds[0].atom.operand not in named[0][1].values:
        return None
    is_more = (_asked if asks else _allowed)(*named[0])
    return bounds[0] if is_more is bounds[0].holds else None


def _denied_bound(whole: Formula, message: str) -> Clause | None:
    """Return the only comparison of a rule, where it stops a number that may pass as it says."""
    named = [(one, number) for one in sentences(message) for number in numbers(one)]
    if not isinstance(whole, Clause) or len(named) != 1:
        return None
    ((sentence, number),) = named
    match = _AND_MORE.match(sentence[number.end :])
    opening = sentence[: number.start]
    if match is None or not _ONLY.search(opening) or _STAYS.search(sentence):
        return None
    kind = ("<=", True) if match["more"] else ("<", False)
    is_bound = (whole.atom.kind, whole.holds) == kind and whole.atom.operand in number.values
    return whole if is_bound else None


def _asks_by_day(whole: Formula, message: str) -> bool:
    """Whether a message says that somebody approves at night, and its rule asks at other hours."""
    hours = asked_of(whole, "getHours")
    night = [one for one in sentences(message) if _NIGHT.search(one)]
    if hours is None or len(night) != 1 or _OTHERWISE.search(message):
        return False
    said = hours_said(message, zone_of(whole, "getHours"))
    return said is not None and bool(_APPROVED.search(message)) and said.are_all_but(hours)


def _asked(sentence: str, number: Number) -> bool | None:
    """Whether a sentence says that what is above a number needs an approval, or what is below."""
    opening = _BEYOND.search(sentence[: number.start][-30:])
    if opening is None or _OTHERWISE.search(sentence) or not _NEEDED.search(sentence[number.end :]):
        return None
    return opening["more"] is not None


def _allowed(sentence: str, number: Number) -> bool | None:
    """Whether a sentence says that what is above a number is stopped, or what is below."""
    opening = _MOST.search(sentence[: number.start]) or _MAY.search(sentence[: number.start])
    rest = sentence[number.end :]
    if opening is None:
        return _stopped(sentence[: number.start], rest)
    before = sentence[: opening.start("most")] if opening["most"] else ""
    if not _LAST.search(rest) or _OTHERWISE.search(f"{before} {rest}"):
        return None
    return opening["most"] is not None


def _stopped(opening: str, rest: str) -> bool | None:
    """Whether a sentence says that what is above a number is not to be, or what is below."""
    beyond = _BEYOND.search(opening[-30:])
    if beyond is None:
        return None
    before = opening[: len(opening[:-30]) + beyond.start()]
    if _NONE.search(before) and _LAST.search(rest):
        said = before.partition(" ")[2]
    elif _STOPPED.search(rest):
        said = before
    else:
        return None
    return None if _OTHERWISE.search(said) else beyond["more"] is not None


def _is_both(whole: Formula, message: str) -> bool:
    """Whether two bounds must both be broken, of which the message says that one is enough."""
    if isinstance(whole, Clause) or not whole.all:
        return False
    above = {
        part.atom.operand
        for part in whole.parts
        if isinstance(part, Clause) and part.atom.kind in {"<", "<="} and not part.holds
    }
    for sentence in sentences(message) if len(above) > 1 else ():
        named = numbers(sentence)
        if len(named) != len(above) or not all(above & set(one.values) for one in named):
            continue
        between = sentence[named[0].end : named[1].start]
        is_asked = _NEEDED.search(sentence[named[-1].end :]) and not _OTHERWISE.search(sentence)
        beyond = (_BEYOND.search(sentence[: one.start][-30:]) for one in named)
        if is_asked and re.search(r"\bor\b", between) and all(m and m["more"] for m in beyond):
            return True
    return False


RULE: Final = LintRule("PE166", "other-side", "warning", __doc__ or "", _find)
