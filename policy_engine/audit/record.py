"""What a record says: names of the policy and of who asked, never the request's values.

Theory of operation. A record is a flat mapping of texts, numbers and lists of texts. Reasons
are named by rule and code alone, because both are written in the policy. A tool, target or
model is named only where an entry of the policies knows the name: one that a model made up is
a value of its own. What is not a text is left out, so a malformed request can be recorded too.
`group_id` is what an agent framework groups traces by, as the application told it; null elsewhere.
"""

import builtins
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, get_args

import orjson

from policy_engine.audit.trace import Trace
from policy_engine.decision import Decision, Reason, Stage

__all__ = ["OUTCOMES", "OutcomeStatus", "Record", "decision_record", "new_id", "outcome_record"]

Record: TypeAlias = dict[str, str | int | bool | tuple[str, ...] | None]
"""A record, ready to be written as one JSON line."""

OutcomeStatus: TypeAlias = Literal[
    "returned", "raised", "timed_out", "cancelled", "unknown", "not_run"
]
OUTCOMES: Final[tuple[OutcomeStatus, ...]] = get_args(OutcomeStatus)
"""How a permitted call ended; `unknown` where it can no longer be told."""

_Spoken: TypeAlias = tuple[tuple[Reason, ...], Record]
"""What spoke, and a record that says so and nothing else."""

_LONGEST_NAME: Final = 200
_MEMO: Final = 512
_KEYS: Final = (
    "time",
    "kind",
    "id",
    "trace_id",
    "parent_id",
    "group_id",
    "stage",
    "agent",
    "principal",
    "tenant",
    "session",
    "tool",
    "target",
    "model",
    "call_id",
    "attempt",
    "effect",
    "would",
    "permitted",
    "enforced",
    "rules",
    "codes",
    "observed",
    "fingerprint",
    "policy_revision",
    "elapsed_us",
)
_NAMED_BY: Final[Mapping[Stage, str | None]] = {
    "input": None,
    "tool_call": "tool",
    "tool_result": "tool",
    "handoff": "target",
    "model_request": "model",
    "model_response": "model",
    "output": None,
}

_MAPPINGS: Final = (dict, MappingProxyType)
"""What principals usually are."""
_NOBODY: Final[Mapping[str, object]] = {}
_identity = builtins.id
_memo: dict[int, _Spoken] = {}


def decision_record(  # noqa: PLR0913 - a record has this many circumstances
    decision: Decision,
    *,
    id: str,  # noqa: A002 - it is the word for it
    time: datetime,
    trace: Trace | None,
    enforced: bool,
    elapsed_us: int,
    known: bool,
    attempt: int = 1,
    fingerprint: str | None = None,
) -> Record:
    """Say what was decided.

    Args:
        decision: What was decided.
        id: Names this record; an outcome refers to it.
        time: When; with an offset from UTC.
        trace: The trace that the request belongs to, with its group where a framework has one.
        enforced: Whether the decision is acted on.
        elapsed_us: How long deciding took, in microseconds.
        known: Whether an entry of the policies names the tool, target or model.
        attempt: Which try of the same call this is.
        fingerprint: The decision's where it was computed before; computed where None.
    """
    outcome = decision.outcome
    spoken = _memo.get(_identity(outcome.reasons))
    if spoken is None or spoken[0] is not outcome.reasons:
        spoken = _speak(outcome.reasons)
    request = decision.asked
    principal: Any = request.principal
    if type(principal) not in _MAPPINGS and not isinstance(principal, Mapping):
        principal = _NOBODY
    record: Record = spoken[1] | {
        "time": timestamp(time),
        "id": id,
        "effect": outcome.effect,
        "would": outcome.would,
        "permitted": outcome.effect in ("allow", "redact"),
        "trace_id": None if trace is None else trace.trace_id,
        "parent_id": None if trace is None else trace.parent_id,
        "group_id": None if trace is None else trace.group_id,
        "agent": _text(request.agent),
        "principal": _text(principal.get("id")),
        "tenant": _text(principal.get("tenant")),
        "session": _text(request.session),
        "call_id": _text(request.call_id),
        "attempt": attempt,
        "enforced": enforced,
        "fingerprint": _fingerprint(decision) if fingerprint is None else fingerprint,
        "policy_revision": decision.policy_revision,
        "elapsed_us": elapsed_us,
    }
    stage = request.stage
    if stage.__class__ is str and stage in _NAMED_BY:
        record["stage"] = stage
        named = _NAMED_BY[stage]
        if known and named is not None:
            record[named] = _name(getattr(request, named))
    return record


def outcome_record(
    *,
    decision_id: str,
    time: datetime,
    trace: Trace | None,
    status: OutcomeStatus,
    elapsed_us: int,
    error: type[BaseException] | None = None,
    labels: Iterable[str] = (),
) -> Record:
    """Say how a permitted call ended.

    Args:
        decision_id: The id of the decision's record.
        time: When it ended; with an offset from UTC.
        trace: The trace that the request belongs to.
        status: How it ended.
        elapsed_us: How long the call took, in microseconds.
        error: The class of what was raised; never its text.
        labels: The labels that the session carries since.
    """
    return {
        "time": timestamp(time),
        "kind": "outcome",
        "decision": decision_id,
        "trace_id": None if trace is None else trace.trace_id,
        "parent_id": None if trace is None else trace.parent_id,
        "group_id": None if trace is None else trace.group_id,
        "status": status,
        "error": None if error is None else error.__name__,
        "labels": tuple(labels),
        "elapsed_us": elapsed_us,
    }


def timestamp(time: datetime) -> str:
    """Write a time as RFC 3339 has it: UTC, to the microsecond.

    Raises:
        ValueError: The time has no offset, so it cannot be told.
    """
    if time.tzinfo is not UTC:
        if time.utcoffset() is None:
            raise ValueError("a time needs an offset from UTC")
        time = time.astimezone(UTC)
    if not time.microsecond:
        return f"{time:%Y-%m-%dT%H:%M:%S}.000000Z"
    # Three times as fast as isoformat.
    return orjson.dumps(time, option=orjson.OPT_UTC_Z)[1:-1].decode()


def new_id() -> str:
    """Make the id of a record, of the system's randomness."""
    return os.urandom(16).hex()


def _speak(reasons: tuple[Reason, ...]) -> _Spoken:
    """Begin a record; engines share the reasons of calls that break nothing."""
    begun: Record = dict.fromkeys(_KEYS)
    begun["kind"] = "decision"
    begun["rules"] = tuple([reason.rule for reason in reasons])
    begun["codes"] = tuple([reason.code for reason in reasons])
    begun["observed"] = tuple([reason.rule for reason in reasons if not reason.enforced])
    spoken = (reasons, begun)
    if len(_memo) >= _MEMO:
        _memo.clear()
    # INVARIANT: the reasons are held here, so no others can have their identity.
    _memo[_identity(reasons)] = spoken
    return spoken


def _fingerprint(decision: Decision) -> str | None:
    try:
        return decision.fingerprint
    except Exception:  # noqa: BLE001 - a malformed request has none, and is recorded nevertheless
        return None


def _text(value: object) -> str | None:
    return value if value.__class__ is str else None


def _name(value: object) -> str | None:
    text = _text(value)
    return text if text is not None and len(text) <= _LONGEST_NAME else None
