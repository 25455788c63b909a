"""Policy as code for LLM agents: what an agent may read, say and do."""

from importlib import import_module
from typing import TYPE_CHECKING

from policy_engine.decision import Decision, Facts, Reason, Request, Session
from policy_engine.errors import (
    CheckError,
    Fault,
    Location,
    PolicyEngineError,
    PolicyError,
    RequestError,
)

if TYPE_CHECKING:
    from policy_engine.decision.wire import parse_json
    from policy_engine.engine import Engine
    from policy_engine.guard import ApprovalRequired, Denied, Guard, guarded
    from policy_engine.loader import load

__all__ = [
    "ApprovalRequired",
    "CheckError",
    "Decision",
    "Denied",
    "Engine",
    "Facts",
    "Fault",
    "Guard",
    "Location",
    "PolicyEngineError",
    "PolicyError",
    "Reason",
    "Request",
    "RequestError",
    "Session",
    "guarded",
    "load",
    "parse_json",
]


_LATE = {
    "ApprovalRequired": "guard",
    "Denied": "guard",
    "Engine": "engine",
    "Guard": "guard",
    "guarded": "guard",
    "load": "loader",
    "parse_json": "decision.wire",
}
"""What needs the models of policies, and so is imported when it is first asked for."""


def __getattr__(name: str) -> object:
    if name in _LATE:
        return getattr(import_module(f"policy_engine.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
