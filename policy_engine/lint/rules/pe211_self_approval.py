"""An approval that the requester can give instead of somebody else.

What it does:
    Reports `approvers` that name `requester` beside other roles.

Why:
    Any of the approvers is enough, so the others are decoration: who asks confirms.

Fails:
    tools:
      pay:
        effect: require_approval
        approval: {approvers: [requester, finance], expires: 1h}
        args: {amount: {type: number, minimum: 0, maximum: 50}}

Passes:
    tools:
      pay:
        effect: require_approval
        approval: {approvers: [finance], expires: 1h}
        args: {amount: {type: number, minimum: 0, maximum: 50}}

Fix:
    Name `requester` alone where the end user's own confirmation is meant; otherwise leave it out.
    Two rules, one for each, ask for both.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.approvals import approvals
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for one in approvals(subject):
        approvers = one.approval.approvers
        if "requester" in approvers and len(set(approvers)) > 1:
            path = (*one.path, "approvers", approvers.index("requester"))
            others = ", ".join(name for name in approvers if name != "requester")
            message = f'"requester" may approve alone, so {others} need not be asked'
            yield Found(one.policy, path, message, "leave it out; two rules ask for both")


RULE: Final = LintRule("PE211", "self-approval", "warning", __doc__ or "", _find)
