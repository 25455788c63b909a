"""An approval that nobody can give, or not in time.

What it does:
    Reports an approver such as `nobody`, `none` or `never`; one that is not among the `roles`
    that `[tool.policy-engine]` lists; one that is probably a misspelt role of another approval;
    and `expires` below 30 seconds.

Why:
    The rule says "ask" and means "deny", and the agent keeps asking.

Fails:
    tools:
      deploy: {effect: require_approval, approval: {approvers: [nobody], expires: 1h}, args: {}}
    ---
    tools:
      deploy: {effect: require_approval, approval: {approvers: [oncall], expires: 2s}, args: {}}

Passes:
    tools:
      deploy: {effect: require_approval, approval: {approvers: [oncall], expires: 1h}, args: {}}

Fix:
    Name a role that somebody has, or deny.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Final

from policy_engine.lint.approvals import PlacedApproval, approvals
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import is_slip

__all__ = ["RULE"]


_NOBODY: Final = frozenset({"nobody", "no-one", "noone", "none", "never", "n-a", "tbd", "todo"})
_SOON: Final = 30
_ALIKE: Final = 0.85


def _find(subject: Subject) -> Iterator[Found]:
    every = list(approvals(subject))
    used = Counter(name for one in every for name in set(one.approval.approvers))
    for one in every:
        for index, name in enumerate(one.approval.approvers):
            said = _said(subject, name, used)
            if said is not None:
                yield Found(one.policy, (*one.path, "approvers", index), *said)
        yield from _too_soon(one)


def _said(subject: Subject, name: str, used: Mapping[str, int]) -> tuple[str, str] | None:
    roles = subject.options.roles
    if name.lower().replace("_", "-") in _NOBODY:
        return f'"{name}" is nobody\'s role, so this always denies', "name a role, or deny"
    if name == "requester":
        return None
    if roles and name not in roles:
        return f'there is no role "{name}"', f"roles: {', '.join(sorted(roles))}"
    if not roles and used[name] == 1:
        for other, count in used.items():
            if other == name:
                break  # of two that stand once, the second is reported
            if count == 1 and is_slip(name, other):
                return f'the role "{name}" stands only here, and "{other}" elsewhere', _ONE
        for other, count in used.items():
            if count > 1 and SequenceMatcher(None, name, other).ratio() >= _ALIKE:
                return f'the role "{name}" stands only here', f'did you mean "{other}"?'
    return None


_ONE: Final = "write one role one way"


def _too_soon(one: PlacedApproval) -> Iterator[Found]:
    if one.approval.expires < _SOON:
        path = (*one.path, "expires")
        message = "nobody can approve in so short a time"
        yield Found(one.policy, path, message, "give at least a minute, such as 15m")


RULE: Final = LintRule("PE119", "approval-nobody-can-give", "error", __doc__ or "", _find)
