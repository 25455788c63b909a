"""Policy as code for LLM agents: what an agent may read, say and do."""

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
    from policy_engine.engine import Engine
    from policy_engine.loader import load

__all__ = [
    "CheckError",
    "Decision",
    "Engine",
    "Facts",
    "Fault",
    "Location",
    "PolicyEngineError",
    "PolicyError",
    "Reason",
    "Request",
    "RequestError",
    "Session",
    "load",
]


def __getattr__(name: str) -> object:
    """Import what needs the policy models only when it is asked for."""
    if name == "Engine":
        from policy_engine.engine import Engine  # noqa: PLC0415

        return Engine
    if name == "load":
        from policy_engine.loader import load  # noqa: PLC0415

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
