"""The enforcement point: a decision that is enforced, counted and recorded."""

from policy_engine.guard.asked import Asked, CallPaused
from policy_engine.guard.denied import ApprovalRequired, Denied
from policy_engine.guard.guard import RECORDS, Guard, guarded
from policy_engine.guard.reload import Watch
from policy_engine.guard.session import GuardSession
from policy_engine.guard.timeout import ToolTimeout
from policy_engine.state import Alert

__all__ = [
    "RECORDS",
    "Alert",
    "ApprovalRequired",
    "Asked",
    "CallPaused",
    "Denied",
    "Guard",
    "GuardSession",
    "ToolTimeout",
    "Watch",
    "guarded",
]
