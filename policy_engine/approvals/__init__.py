"""Who may lift a rule: approvals, asked for, answered, used once."""

from policy_engine.approvals.approval import Approval, Grant, Status, standing
from policy_engine.approvals.memory import MemoryApprovals
from policy_engine.approvals.protocol import Approvals

__all__ = ["Approval", "Approvals", "Grant", "MemoryApprovals", "Status", "standing"]
