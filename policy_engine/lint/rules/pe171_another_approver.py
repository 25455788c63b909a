"""An approval by another role, or by fewer people, than its message says.

What it does:
    Reports a rule or entry that requires an approval, whose message says that another role of the
    policy set approves ("needs an approval from", "must be approved by", "Ask finance for an
    approval"), and names none of those who may; and one whose message says how many approve ("two
    approvers", "must be approved by two people"), where its `quorum` is another number.

Why:
    The model sends people to somebody who cannot help, or somebody approves who was not meant to.
    Without a `quorum`, one is enough.

Fails:
    tools:
      refund:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 900}}
        rules:
          - id: large
            when: args.amount > 100
            effect: require_approval
            approval: {approvers: [support], expires: 1h}
            message: Refunds above 100 need an approval from finance.
          - id: largest
            when: args.amount > 500
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
    ---
    tools:
      refund:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 900}}
        rules:
          - id: large
            when: args.amount > 100
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
            message: Refunds above 100 need two approvers.

Passes:
    tools:
      refund:
        args: {amount: {type: number, exclusiveMinimum: 0, maximum: 900}}
        rules:
          - id: large
            when: args.amount > 100
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}
            message: Refunds above 100 need an approval from finance.

Fix:
    Name one role in both, or write the `quorum` that is meant.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import globs_overlap
from policy_engine.lint.approvals import PlacedApproval, approvals, message_beside
from policy_engine.lint.messages import Number, numbers, sentences
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import words_of
from policy_engine.source import Path

__all__ = ["RULE"]

_NAMED: Final = (
    r"(?:\b(?:needs?|requires?|wait for) (?:an? |the )?(?:\w+ )?"
    r"(?:approval|confirmation|sign-off) (?:from|of|by)|"
    r"\b(?:must|has to|have to|needs? to) be (?:approved|confirmed|signed off) by|"
    r"^(?:please )?ask) (?:an? |the |your )?{}s?\b(?: (?P<for>\w+ \w+ ?\w*))?"
)
_FOR: Final = re.compile(r"^(?:for (?:an? |the |their |its )?(?:approval|confirmation)|to approve)")
_BEFORE: Final = 40
_DIFFERENT: Final = r"^\s(?:different |distinct |separate |independent |other )?"
_APPROVERS: Final = re.compile(
    _DIFFERENT + r"(?:approvers?|approvals?|sign-offs?|signatures?|confirmations?)\b(?! \w+ed\b)",
    re.IGNORECASE,
)
_WHO: Final = re.compile(
    _DIFFERENT
    + r"(?:\w{1,20} ){0,2}?(?P<who>\w{1,20})(?: (?:from|of|in) (?:the )?(?P<of>\w{1,20}))?"
    r" (?:must|have to|has to|needs? to) (?:(?P<agree>agree)|approve|confirm|sign)\b",
    re.IGNORECASE,
)
"""How a sentence goes on that begins with how many there are."""
_BEYOND: Final = re.compile(
    r"^(?:above|over|beyond|from|more than|below|under) [0-9., '€$£]{1,20}"
    r"(?:EUR|USD|GBP|CHF)?,?\s?$",
    re.IGNORECASE,
)
"""How one begins of which that is the rest."""
_APPROVED_BY: Final = re.compile(
    r"\b(?:(?:approved|confirmed|signed off|signed) by|(?:approval|sign-off) (?:from|of|by))\s$",
    re.IGNORECASE,
)
_MANY: Final = frozenset({"people", "men", "women"})
_PEOPLE: Final = re.compile(
    _DIFFERENT + r"(?:people|persons?|colleagues?|managers?|approvers?)\b", re.IGNORECASE
)
_SOME: Final = re.compile(
    r"\b(?:of|of the|of these|up to|at most|least|than|every|each|first|a|the)\s$", re.IGNORECASE
)
"""Words before a number that is not how many must approve."""
_ON_PAPER: Final = re.compile(
    r"\b(?:on paper|in writing|written|handwritten|by hand|wet ink|in ink|in person|"
    r"(?:approval|agreement|consent|signature)s? (?:of|from|by) (?:an? |the |their |your )?"
    r"(?:customer|client|guest|patient|parent|tenant|buyer|seller|holder|owner)s?)\b",
    re.IGNORECASE,
)
"""Words of a text that counts approvals which are given elsewhere."""
_OTHERWISE: Final = re.compile(
    r"\b(?:no|not|never|already|before|earlier|unless|except|instead|if)\b", re.IGNORECASE
)


def _find(subject: Subject) -> Iterator[Found]:
    every = list(approvals(subject))
    roles = {role for one in every for role in one.approval.approvers} | set(subject.options.roles)
    roles.discard("requester")
    for one in every:
        yield from _other_number(one, every)
        message = message_beside(one.policy.document.data, one.path)
        given = set(one.approval.approvers)
        if not message or "requester" in given or any(_spelt(role, message) for role in given):
            continue
        named = [role for role in sorted(roles - given) if _is_named(role, message)]
        if named:
            said = f'its message names "{named[0]}", who may not approve this'
            hint = f"approvers: {', '.join(one.approval.approvers)}"
            yield Found(one.policy, (*one.path, "approvers"), said, hint)


def _other_number(one: PlacedApproval, every: list[PlacedApproval]) -> Iterator[Found]:
    """Find a message that says how many people approve, where other rules do not add to them."""
    approval, data = one.approval, one.policy.document.data
    beside = [
        other
        for other in every
        if other is not one
        and other.path[0] == one.path[0]
        and any(globs_overlap(a, b) for a in one.names for b in other.names)
    ]
    message = message_beside(data, one.path)
    named = dict(_people(message, set(approval.approvers)))
    if len(named) != 1 or _ON_PAPER.search(message) or "requester" in approval.approvers:
        return
    ((number, words),) = named.items()
    fewest = sum(other.approval.quorum for other in beside) + approval.quorum
    if number > fewest or (number < approval.quorum and not beside):
        path: Path = (*one.path, "quorum") if approval.quorum > 1 else one.path
        given = f"the quorum is {approval.quorum}" if approval.quorum > 1 else "one is enough"
        said = f'its message says "{words}", and {given}'
        yield Found(one.policy, path, said, f"write `quorum: {number}`, or the number that holds")


def _are_several(who: re.Match[str], number: Number, roles: set[str]) -> bool:
    """Whether those who must approve are so many; who agrees may be somebody else."""
    if who["agree"] and (who["of"] or "").lower() not in roles:
        return False
    return number.values == (1,) or who["who"] in _MANY or who["who"][-1] == "s"


def _people(message: str, roles: set[str]) -> Iterator[tuple[int, str]]:
    """Go through the numbers of people that a message says must approve, each with its words."""
    for sentence in sentences(message):
        if _OTHERWISE.search(sentence):
            continue
        for number in numbers(sentence):
            before, behind = sentence[: number.start], sentence[number.end :]
            match = _APPROVERS.match(behind)
            who = _WHO.match(behind) if not before or _BEYOND.search(before) else None
            if who is not None and _are_several(who, number, roles):
                match = who
            if match is None and _APPROVED_BY.search(before[-_BEFORE:]):
                match = _PEOPLE.match(behind)
            if (
                match is not None
                and len(number.values) == 1
                and not _SOME.search(before[-_BEFORE:])
            ):
                yield int(number.values[0]), f"{sentence[number.start : number.end]}{match[0]}"


def _is_named(role: str, message: str) -> bool:
    """Whether a sentence says that a role approves, and no more than that."""
    for sentence in sentences(message):
        match = _spelt(role, sentence, _NAMED)
        if match is None or _OTHERWISE.search(sentence):
            continue
        is_asked = " ask " in f" {match[0].lower()}"
        if not is_asked or _FOR.search(match["for"] or ""):
            return True
    return False


def _spelt(role: str, text: str, form: str = r"\b{}s?\b") -> re.Match[str] | None:
    spelt = r"[\s_-]?".join(map(re.escape, words_of(role)))
    return re.search(form.format(spelt), text, re.IGNORECASE) if spelt else None


RULE: Final = LintRule("PE171", "another-approver", "warning", __doc__ or "", _find)
