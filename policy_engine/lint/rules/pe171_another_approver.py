"""An approval by another role than its message says.

What it does:
    Reports a rule or entry that requires an approval, whose message names a role of the policy
    set behind "approval from", "approved by", "ask" and the like, where only other roles may
    approve.

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
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import words_of

__all__ = ["RULE"]

_NAMED: Final = (
    r"(?:\bapprovals? (?:from|of|by)|\bapproved by|\bconfirm(?:ed|ation) (?:by|from|of)|\bask|"
    r"\bsign-off (?:from|by|of))\s+(?:an?\s+|the\s+|your\s+)?{}s?\b"
)


def _find(subject: Subject) -> Iterator[Found]:
    every = list(approvals(subject))
    roles = {role for one in every for role in one.approval.approvers} | set(subject.options.roles)
    roles.discard("requester")
    for one in every:
        message = _message(one.policy.document.data, one.path)
        named = [role for role in sorted(roles) if _is_named(role, message)]
        given = set(one.approval.approvers)
        if named and not given & set(named) and "requester" not in given:
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
    spelt = r"[\s_-]?".join(map(re.escape, words_of(role)))
    return bool(spelt) and re.search(_NAMED.format(spelt), message, re.IGNORECASE) is not None


RULE: Final = LintRule("PE171", "another-approver", "warning", __doc__ or "", _find)
