"""What is known of a decision that was counted and recorded, until its call is over."""

from dataclasses import dataclass

from policy_engine.approvals import Approval
from policy_engine.audit import Trace
from policy_engine.decision import ApprovalNeeded, Decision
from policy_engine.state import Hold

__all__ = ["Ticket"]


@dataclass(slots=True, eq=False)
class Ticket:
    """A decision that was counted and recorded, and what is owed after the call."""

    decision: Decision
    record_id: str
    trace: Trace
    approvals: tuple[Approval, ...]
    """What was asked for, where an approval is needed."""
    hold: Hold | None
    """What it counts towards."""
    used: tuple[ApprovalNeeded, ...]
    """What its approvals were used up for."""
