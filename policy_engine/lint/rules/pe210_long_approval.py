"""An approval that holds for too long.

What it does:
    Reports `expires` above two weeks; above a day for tools whose names say that they change
    systems (`deploy`, `delete`, `run`, `grant`...). Up to two weeks are right there, too, where
    the message names them: "within 72 hours".

Why:
    What was right when it was approved is not weeks later: the order was cancelled, the person
    has left, and the session that asked still holds a right that nobody remembers giving. A
    system is another one the day after; who decides on leave or on a contract may need days.

Fails:
    tools:
      deploy: {effect: require_approval, approval: {approvers: [oncall], expires: 7d}, args: {}}

    ---
    tools:
      request_leave: {effect: require_approval, approval: {approvers: [hr], expires: 90d}, args: {}}

Passes:
    tools:
      deploy: {effect: require_approval, approval: {approvers: [oncall], expires: 1h}, args: {}}
      request_leave: {effect: require_approval, approval: {approvers: [hr], expires: 7d}, args: {}}

Fix:
    Give as long as somebody needs to answer; asking again costs little.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.approvals import PlacedApproval, approvals, message_beside
from policy_engine.lint.messages import sentences
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import operating

__all__ = ["RULE"]


_DAY: Final = 86_400
_SECONDS: Final = {"hour": 3600, "day": _DAY, "week": 7 * _DAY}
_LONG: Final = re.compile(
    r"\b(?:within|for|after|up to|has|have) (?P<number>[0-9]{1,4}) (?P<unit>hour|day|week)s?\b",
    re.IGNORECASE,
)
_DAYS: Final = 14
"""So many give whoever decides the time to come back from a holiday."""


def _find(subject: Subject) -> Iterator[Found]:
    for one in approvals(subject):
        system = next((name for name in one.names if operating(name)), None)
        most = _DAYS if system is None else 1
        if one.approval.expires > most * _DAY:
            message = f"this approval holds for {_written(one.approval.expires)}"
            hint = "give as long as somebody needs to answer, such as 3d"
            if system is not None and one.approval.expires <= _DAYS * _DAY and _is_said(one):
                continue
            if system is not None:
                message += f', and "{system}" changes a system'
                hint = "give as long as somebody needs to answer, such as 1h"
            yield Found(one.policy, (*one.path, "expires"), message, hint)


def _is_said(one: PlacedApproval) -> bool:
    """Whether the message beside an approval says that somebody has so long for it."""
    for sentence in sentences(message_beside(one.policy.document.data, one.path)):
        for match in _LONG.finditer(sentence):
            if int(match["number"]) * _SECONDS[match["unit"].lower()] == one.approval.expires:
                return True
    return False


def _written(seconds: float) -> str:
    days = round(seconds / _DAY)
    return f"{days} days" if seconds >= 2 * _DAY else f"{round(seconds / 3600)} hours"


RULE: Final = LintRule("PE210", "long-approval", "warning", __doc__ or "", _find)
