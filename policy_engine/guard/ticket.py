"""What is known of a decision that was counted and recorded, until its call is over."""

from dataclasses import dataclass
from datetime import datetime

from policy_engine.approvals import Approval
from policy_engine.audit import Trace
from policy_engine.decision import ApprovalNeeded, Decision
from policy_engine.state import Hold

__all__ = ["Ticket"]


@dataclass(slots=True, eq=False)
class Ticket:
    """A decision that was counted and recorded, and what is owed after the call."""

    decision: Decision
    now: datetime
    """When it was made."""
    trace: Trace
    hold: Hold | None = None
    """What it counts towards."""
    used: tuple[ApprovalNeeded, ...] = ()
    """What its approvals were used up for."""
    approvals: tuple[Approval, ...] = ()
    """What was asked for, where an approval is needed."""
    is_named: bool = False
    """Whether an entry matches the request's name, so that it may be recorded."""
    record_id: str = ""
