"""Request, facts, reason, decision: the values that deciding is about."""

from policy_engine.decision.decision import (
    ApprovalNeeded,
    ApprovalUse,
    Context,
    Decision,
    Obligation,
    Outcome,
    Reason,
    Redaction,
    Reservation,
    Timeout,
)
from policy_engine.decision.facts import (
    NO_FACTS,
    Calls,
    Count,
    CounterNeed,
    FactNeed,
    Facts,
    Halt,
    Needs,
    Session,
)
from policy_engine.decision.request import Request, fingerprint
from policy_engine.decision.words import CODES, EFFECTS, RANK, STAGES, Effect, Stage, strictest

__all__ = [
    "CODES",
    "EFFECTS",
    "NO_FACTS",
    "RANK",
    "STAGES",
    "ApprovalNeeded",
    "ApprovalUse",
    "Calls",
    "Context",
    "Count",
    "CounterNeed",
    "Decision",
    "Effect",
    "FactNeed",
    "Facts",
    "Halt",
    "Needs",
    "Obligation",
    "Outcome",
    "Reason",
    "Redaction",
    "Request",
    "Reservation",
    "Session",
    "Stage",
    "Timeout",
    "fingerprint",
    "strictest",
]
