"""An approval by another role than its message says.

What it does:
    Reports a rule or entry that requires an approval, whose message says that another role of the
    policy set approves ("needs an approval from", "must be approved by", "Ask finance for an
    approval"), and names none of those who may.

Why:
    The model sends people to somebody who cannot help, or somebody approves who was not meant to.

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
    Name one role in both.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.approvals import approvals
from policy_engine.lint.messages import sentences
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import words_of

__all__ = ["RULE"]

_NAMED: Final = (
    r"(?:\b(?:needs?|requires?|wait for) (?:an? |the )?(?:\w+ )?"
    r"(?:approval|confirmation|sign-off) (?:from|of|by)|"
    r"\b(?:must|has to|have to|needs? to) be (?:approved|confirmed|signed off) by|"
    r"^(?:please )?ask) (?:an? |the |your )?{}s?\b(?: (?P<for>\w+ \w+ ?\w*))?"
)
_FOR: Final = re.compile(r"^(?:for (?:an? |the |their |its )?(?:approval|confirmation)|to approve)")
_OTHERWISE: Final = re.compile(
    r"\b(?:no|not|never|already|before|earlier|unless|except|instead|if)\b", re.IGNORECASE
)


def _find(subject: Subject) -> Iterator[Found]:
    every = list(approvals(subject))
    roles = {role for one in every for role in one.approval.approvers} | set(subject.options.roles)
    roles.discard("requester")
    for one in every:
        message = _message(one.policy.document.data, one.path)
        given = set(one.approval.approvers)
        if not message or "requester" in given or any(_spelt(role, message) for role in given):
            continue
        named = [role for role in sorted(roles - given) if _is_named(role, message)]
        if named:
            said = f'its message names "{named[0]}", who may not approve this'
            hint = f"approvers: {', '.join(one.approval.approvers)}"
            yield Found(one.policy, (*one.path, "approvers"), said, hint)


def _message(data: object, path: tuple[str | int, ...]) -> str:
    """Return the message beside an approval."""
    for step in path[:-1]:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step]
    message = data.get("message") if isinstance(data, dict) else None
    return message if isinstance(message, str) else ""


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
