"""An approval that the requester's own colleagues can give.

What it does:
    Reports `approvers` that are all among the roles that the policy itself applies to. Only for
    the pedantic persona.

Why:
    Two people of one desk can approve each other's requests all day. The requester alone cannot.

Fails:
    applies_to: {roles: [support]}
    tools:
      pay:
        effect: require_approval
        approval: {approvers: [support], expires: 1h}
        args: {amount: {type: number, minimum: 0, maximum: 50}}

Passes:
    applies_to: {roles: [support]}
    tools:
      pay:
        effect: require_approval
        approval: {approvers: [finance], expires: 1h}
        args: {amount: {type: number, minimum: 0, maximum: 50}}

Fix:
    Name a role of another team.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.approvals import approvals
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for one in approvals(subject):
        applies = one.policy.policy.applies_to
        roles = () if applies is None else applies.roles or ()
        if all(any(matches_glob(role, name) for role in roles) for name in one.approval.approvers):
            message = "the roles that may ask are those that may approve"
            yield Found(
                one.policy, (*one.path, "approvers"), message, "name a role of another team", True
            )


RULE: Final = LintRule("PE223", "peer-approval", "info", __doc__ or "", _find, persona="pedantic")
