"""Calls that wait for the same approval: it lifts one of them, and people are asked again.

Theory of operation. An approval is bound to what is asked for, so that calls which are alike have
one question between them. Once it is answered, `apply_approvals` lets one of them go, the others
stay pending in the SDK's state, and they are noted here: when the one is made, the approval is
used up, and people are asked about the next. Where the run goes on in another process nothing is
known of them, and people are asked when `apply_approvals` meets them again.
"""

import contextlib
from typing import Final
from weakref import WeakKeyDictionary

from policy_engine.decision import ApprovalUse, Decision, Request
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["ask_for_others", "lets_go", "was_approved"]

_MOST: Final = 1024
_WAITING: Final[WeakKeyDictionary[Guard, dict[str, dict[str, tuple[GuardSession, Request]]]]] = (
    WeakKeyDictionary()
)
"""A guard -> the fingerprint of an approval that lifts a call -> the ids of those that wait on."""


def was_approved(decision: Decision) -> bool:
    """Whether people lift something for a request."""
    return any(isinstance(item, ApprovalUse) for item in decision.obligations) or any(
        reason.code == "approval.approved" for reason in decision.reasons
    )


def lets_go(
    guard: Guard, session: GuardSession, decision: Decision, call_id: str, used: set[str]
) -> bool:
    """Whether an approval is for this call, and not for another of the same run that is alike.

    Args:
        guard: Whose approval.
        session: Who asks for the call.
        decision: About the call, which is approved.
        call_id: The call's id.
        used: The fingerprints whose approvals lift others of the run's calls; it is added to.
    """
    waiting = _WAITING.setdefault(guard, {})
    bound = decision.fingerprint
    if bound in used:
        waiting.setdefault(bound, {})[call_id] = (session, decision.asked)
        return False
    used.add(bound)
    waiting.pop(bound, None)
    while len(waiting) >= _MOST:
        del waiting[next(iter(waiting))]
    return True


async def ask_for_others(guard: Guard, decision: Decision) -> None:
    """Ask people about the calls that wait on, now that a call like them is made."""
    waiting = _WAITING.get(guard)
    found = waiting.pop(decision.fingerprint, {}) if waiting else {}
    for session, request in found.values():
        async with session:
            with contextlib.suppress(Denied):
                await guard.aask(request)
