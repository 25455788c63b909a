"""What a record says: names of the policy and of who asked, never the request's values.

Theory of operation. A record is one line of JSON: a flat object of texts, numbers and lists of
texts. Reasons are named by rule and code alone, because both are written in the policy. A tool,
target or model is named only where an entry of the policies knows the name: one that a model
made up is a value of its own. What is not a text is left out, so a malformed request can be
recorded too. Who asks and what spoke are much the same from call to call: their parts of the
line are written once and remembered, within bounds. `group_id` is what an agent framework groups
traces by, as the application told it; null elsewhere.
"""

import builtins
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import product
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, get_args

import orjson

from policy_engine.audit.trace import Trace
from policy_engine.audit.wire import as_fields, as_json
from policy_engine.decision import EFFECTS, Decision, Reason, Request

__all__ = ["OUTCOMES", "OutcomeStatus", "decision_record", "new_id", "outcome_record"]

OutcomeStatus: TypeAlias = Literal[
    "returned", "raised", "timed_out", "cancelled", "unknown", "not_run"
]
OUTCOMES: Final[tuple[OutcomeStatus, ...]] = get_args(OutcomeStatus)
"""How a permitted call ended; `unknown` where it can no longer be told."""

_Spoken: TypeAlias = tuple[tuple[Reason, ...], str]
"""What spoke, and the part of a line that says so."""

_LONGEST_NAME: Final = 200
_LONGEST_MEMO: Final = 1_000
"""How long a part of a line may be to be remembered."""
_MEMO: Final = 512
_NAMED_BY: Final[Mapping[str, str | None]] = {
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
_NO_TRACE: Final = '"trace_id":null,"parent_id":null,"group_id":null'
_EFFECTS: Final = {
    (effect, would, enforced): as_fields(
        {
            "effect": effect,
            "would": would,
            "permitted": effect in ("allow", "redact"),
            "enforced": enforced,
        }
    )
    for effect, would, enforced in product(EFFECTS, EFFECTS, (True, False))
}
_identity = builtins.id
_spoken: dict[int, _Spoken] = {}
_asked: dict[tuple[str | None, ...], str] = {}


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
) -> bytes:
    """Say what was decided, as one line of JSON.

    Args:
        decision: What was decided.
        id: Names this record, in letters, digits and dashes; an outcome refers to it.
        time: When; with an offset from UTC.
        trace: The trace that the request belongs to, with its group where a framework has one.
        enforced: Whether the decision is acted on.
        elapsed_us: How long deciding took, in microseconds.
        known: Whether an entry of the policies names the tool, target or model.
        attempt: Which try of the same call this is.
        fingerprint: The decision's where it was computed before; computed where None.
    """
    outcome = decision.outcome
    spoken = _spoken.get(_identity(outcome.reasons))
    if spoken is None or spoken[0] is not outcome.reasons:
        spoken = _speak(outcome.reasons)
    request = decision.asked
    call_id: object = request.call_id
    if fingerprint is None:
        fingerprint = _fingerprint(decision)
    bound = "null" if fingerprint is None else f'"{fingerprint}"'
    line = (
        f'{{"time":{_time(time)},"kind":"decision","id":"{id}",'
        f"{_NO_TRACE if trace is None else trace.fields},{_asking(request, known=known)},"
        f'"call_id":{as_json(call_id) if call_id.__class__ is str else "null"},"attempt":{attempt},'
        f'{_EFFECTS[outcome.effect, outcome.would, enforced]},{spoken[1]},"fingerprint":{bound},'
        f'"policy_revision":"{decision.policy_revision}","elapsed_us":{elapsed_us}}}'
    )
    return line.encode()


def outcome_record(
    *,
    decision_id: str,
    time: datetime,
    trace: Trace | None,
    status: OutcomeStatus,
    elapsed_us: int,
    error: type[BaseException] | None = None,
    labels: Iterable[str] = (),
) -> bytes:
    """Say how a permitted call ended, as one line of JSON.

    Args:
        decision_id: The id of the decision's record.
        time: When it ended; with an offset from UTC.
        trace: The trace that the request belongs to.
        status: How it ended.
        elapsed_us: How long the call took, in microseconds.
        error: The class of what was raised; never its text.
        labels: The labels that the session carries since.
    """
    line = (
        f'{{"time":{_time(time)},"kind":"outcome","decision":"{decision_id}",'
        f'{_NO_TRACE if trace is None else trace.fields},"status":"{status}",'
        f'"error":{"null" if error is None else as_json(error.__name__)},'
        f'"labels":{as_json([*labels]) if labels else "[]"},"elapsed_us":{elapsed_us}}}'
    )
    return line.encode()


def timestamp(time: datetime) -> str:
    """Write a time as RFC 3339 has it: UTC, to the microsecond.

    Raises:
        ValueError: The time has no offset, so it cannot be told.
    """
    return _time(time)[1:-1]


def new_id() -> str:
    """Make the id of a record, of the system's randomness."""
    return os.urandom(16).hex()


def _asking(request: Request, *, known: bool) -> str:
    """Write who asks for what."""
    principal: Any = request.principal
    if principal.__class__ not in _MAPPINGS and not isinstance(principal, Mapping):
        principal = _NOBODY
    person, tenant = principal.get("id"), principal.get("tenant")
    # Nothing of a request is certain to have its type.
    stage: Any = request.stage
    agent: Any = request.agent
    session: Any = request.session
    named = _NAMED_BY.get(stage) if stage.__class__ is str else None
    name = getattr(request, named) if known and named is not None else None
    key = (
        stage if stage.__class__ is str else None,
        agent if agent.__class__ is str else None,
        person if person.__class__ is str else None,
        tenant if tenant.__class__ is str else None,
        session if session.__class__ is str else None,
        name if name.__class__ is str and len(name) <= _LONGEST_NAME else None,
    )
    return _asked.get(key) or _ask(key, named)


def _ask(key: tuple[str | None, ...], named: str | None) -> str:
    stage, agent, person, tenant, session, name = key
    found = as_fields(
        {
            "stage": stage if stage in _NAMED_BY else None,
            "agent": agent,
            "principal": person,
            "tenant": tenant,
            "session": session,
            "tool": name if named == "tool" else None,
            "target": name if named == "target" else None,
            "model": name if named == "model" else None,
        }
    )
    if len(found) <= _LONGEST_MEMO:
        if len(_asked) >= _MEMO:
            _asked.clear()
        _asked[key] = found
    return found


def _speak(reasons: tuple[Reason, ...]) -> _Spoken:
    """Write what spoke; engines share the reasons of calls that break nothing."""
    found = as_fields(
        {
            "rules": [reason.rule for reason in reasons],
            "codes": [reason.code for reason in reasons],
            "observed": [reason.rule for reason in reasons if not reason.enforced],
        }
    )
    spoken = (reasons, found)
    if len(_spoken) >= _MEMO:
        _spoken.clear()
    # INVARIANT: the reasons are held here, so no others can have their identity.
    _spoken[_identity(reasons)] = spoken
    return spoken


def _fingerprint(decision: Decision) -> str | None:
    try:
        return decision.fingerprint
    except Exception:  # noqa: BLE001 - a malformed request has none, and is recorded nevertheless
        return None


def _time(time: datetime) -> str:
    """Write a time as a JSON text."""
    if time.tzinfo is not UTC:
        if time.utcoffset() is None:
            raise ValueError("a time needs an offset from UTC")
        time = time.astimezone(UTC)
    if not time.microsecond:
        return f'"{time:%Y-%m-%dT%H:%M:%S}.000000Z"'
    # Three times as fast as isoformat.
    return orjson.dumps(time, option=orjson.OPT_UTC_Z).decode()
