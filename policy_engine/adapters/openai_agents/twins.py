"""Calls that wait for the same approval: it lifts one of them, and people are asked again.

Theory of operation. An approval is bound to what is asked for, so that calls which are alike have
one question between them. Once it is answered, `apply_approvals` lets one of them go, and notes
the others here: they stay pending in the run that is resumed, although the approval is not used
up yet when the SDK asks about them. When it is, people are asked about those that still wait.
Who was noted in another process is decided at the call, where nothing is let through twice.
"""

import contextlib
from typing import Final
from weakref import WeakKeyDictionary

from policy_engine.decision import ApprovalUse, Decision, Request
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["ask_for_others", "lets_go", "stays", "was_approved"]

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


def stays(guard: Guard, decision: Decision, call_id: str) -> bool:
    """Whether a call waits on, because the approval that would lift it lifts another."""
    waiting = _WAITING.get(guard)
    return call_id in waiting.get(decision.fingerprint, ()) if waiting else False


async def ask_for_others(guard: Guard, decision: Decision) -> None:
    """Ask people about the calls that wait on, now that a call like them is made."""
    waiting = _WAITING.get(guard)
    found = waiting.pop(decision.fingerprint, {}) if waiting else {}
    for session, request in found.values():
        async with session:
            with contextlib.suppress(Denied):
                await guard.aask(request)
