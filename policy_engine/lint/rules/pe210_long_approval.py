"""An approval that holds for more than a day.

What it does:
    Reports `expires` above 24 hours.

Why:
    What was right when it was approved is not a week later: the order was cancelled, the person
    has left, and the session that asked still holds a right that nobody remembers giving.

Fails:
    tools:
      deploy: {effect: require_approval, approval: {approvers: [oncall], expires: 7d}, args: {}}

Passes:
    tools:
      deploy: {effect: require_approval, approval: {approvers: [oncall], expires: 1h}, args: {}}

Fix:
    Give as long as somebody needs to answer; asking again costs little.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.approvals import approvals
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_DAY: Final = 86_400


def _find(subject: Subject) -> Iterator[Found]:
    for one in approvals(subject):
        if one.approval.expires > _DAY:
            message = "this approval holds for more than a day"
            hint = "give as long as somebody needs to answer, such as 1h"
            yield Found(one.policy, (*one.path, "expires"), message, hint)


RULE: Final = LintRule("PE210", "long-approval", "warning", __doc__ or "", _find)
