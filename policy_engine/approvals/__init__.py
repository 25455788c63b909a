"""Who may lift a rule: approvals, asked for, answered, used once."""

from importlib import import_module
from typing import TYPE_CHECKING

from policy_engine.approvals.approval import Approval, Grant, Status, standing
from policy_engine.approvals.memory import MemoryApprovals
from policy_engine.approvals.protocol import Approvals

if TYPE_CHECKING:
    from policy_engine.approvals.sqlite import SqliteApprovals

__all__ = [
    "Approval",
    "Approvals",
    "Grant",
    "MemoryApprovals",
    "SqliteApprovals",
    "Status",
    "standing",
]


def __getattr__(name: str) -> object:
    # SQLite is imported by who asks for it.
    if name == "SqliteApprovals":
        return import_module("policy_engine.approvals.sqlite").SqliteApprovals
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
