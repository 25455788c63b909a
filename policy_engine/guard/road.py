"""The road of one request: gather, decide, reserve, record; written once for sync and async.

Theory of operation. The road is a generator. It yields the facts that it needs looked up and is
sent the answers; whoever drives it decides whether to wait in threads or on an event loop. No
lock is held at a yield, and nothing is taken before the last one. Counting and using up an
approval are each one atomic step; where somebody else was faster, or the policies changed
meanwhile, what was taken is given back and the road begins again.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from time import perf_counter_ns
from types import MappingProxyType
from typing import Any, Final

from policy_engine.approvals import Approval
from policy_engine.audit import Trace, new_trace
from policy_engine.decision import ApprovalNeeded, Decision, Facts, Needs, Request
from policy_engine.engine import Engine
from policy_engine.errors import ApprovalError, AuditError
from policy_engine.guard.denied import ApprovalRequired, Denied
from policy_engine.guard.drive import Steps, drive, drive_async
from policy_engine.guard.gather import Question
from policy_engine.guard.log import warn
from policy_engine.guard.parts import Parts, now_utc
from policy_engine.guard.revision import Revision
from policy_engine.guard.session import GuardSession
from policy_engine.guard.ticket import Ticket
from policy_engine.state import Hold

__all__ = ["ask", "give_back", "look", "passed", "passed_async", "refuse", "stopped", "walk"]

_TRIES: Final = 16
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def look(parts: Parts, request: Request, session: GuardSession | None) -> Steps[Decision]:
    """Decide a request as things stand, and change nothing."""
    ticket = yield from _looked(parts, request, _trace(session))
    return ticket.decision


def ask(parts: Parts, request: Request, session: GuardSession | None) -> Steps[Ticket]:
    """Decide as things stand; where an approval is needed, ask people for it and record that.

    Nothing is counted or used up, so the request has still to be made.

    Raises:
        Denied: That it was asked could not be recorded.
    """
    started = perf_counter_ns()
    ticket = yield from _looked(parts, request, _trace(session))
    if ticket.decision.effect != "require_approval":
        return ticket
    return _recorded(parts, ticket, started)


def _looked(parts: Parts, request: Request, trace: Trace) -> Steps[Ticket]:
    engine = parts.revision.engine
    needs = engine.needs(request)
    answers = (yield Question(needs.facts, trace)) if needs.facts else _NOTHING
    try:
        decision, now, _ = _judged(parts, engine, request, needs, answers)
    except Exception as error:  # noqa: BLE001 - where a store fails, nothing is let through
        return _unreached(parts, request, trace, error)
    return Ticket(decision, now, trace, is_named=needs.is_named)


def walk(parts: Parts, request: Request, session: GuardSession | None) -> Steps[Ticket]:
    """Decide, count and record a request.

    Raises:
        Denied: The decision could not be recorded.
    """
    started = perf_counter_ns()
    trace = _trace(session)
    for _ in range(_TRIES):
        revision = parts.revision
        needs = revision.engine.needs(request)
        answers = (yield Question(needs.facts, trace)) if needs.facts else _NOTHING
        ticket = _attempt(parts, revision, request, needs, answers, trace)
        if ticket is not None:
            return _recorded(parts, ticket, started)
    text = "Limits, approvals or policies changed at each attempt; ask again."
    return _recorded(parts, _denied(parts, request, trace, "guard.contended", text), started)


def passed(parts: Parts, request: Request, session: GuardSession | None) -> Ticket:
    """Walk the road of a request; where facts are needed, they are looked up in threads.

    Raises:
        Denied: The decision could not be recorded.
    """
    ticket = _at_once(parts, request, session)
    return drive(walk(parts, request, session), parts.functions) if ticket is None else ticket


async def passed_async(parts: Parts, request: Request, session: GuardSession | None) -> Ticket:
    """Walk it likewise, without blocking the event loop."""
    ticket = _at_once(parts, request, session)
    if ticket is None:
        return await drive_async(walk(parts, request, session), parts.functions)
    return ticket


def _at_once(parts: Parts, request: Request, session: GuardSession | None) -> Ticket | None:
    """Walk the road where nothing is to be looked up and nobody was faster; most requests do."""
    started = perf_counter_ns()
    revision = parts.revision
    needs = revision.engine.needs(request)
    if needs.facts:
        return None
    ticket = _attempt(parts, revision, request, needs, _NOTHING, _trace(session))
    return None if ticket is None else _recorded(parts, ticket, started)


def refuse(
    parts: Parts, request: Request, session: GuardSession | None, code: str, text: str
) -> Denied:
    """Record that a request is denied before anything could be asked about it."""
    ticket = _denied(parts, request, _trace(session), code, text)
    # Arguments that cannot be judged leave the tool its name.
    formed = replace(request, args={}) if request.args is None else request
    ticket.is_named = parts.revision.engine.is_named(formed)
    try:
        _recorded(parts, ticket, perf_counter_ns())
    except Denied as denied:
        return denied
    return Denied(ticket.decision)


def stopped(parts: Parts, ticket: Ticket) -> Denied | None:
    """Return what a decision raises that does not permit."""
    decision = ticket.decision
    if decision.permitted:
        return None
    if not ticket.approvals:
        return Denied(decision)
    return ApprovalRequired(decision, ticket.approvals, parts.approvals)


def give_back(parts: Parts, ticket: Ticket) -> None:
    """Undo what was taken for a call that certainly does not run; where that fails it stays."""
    try:
        _undo(parts, ticket.decision, ticket.hold, ticket.used)
    except Exception as error:  # noqa: BLE001 - a store that fails hides no denial
        kind = type(error).__name__
        warn(ticket.trace, "what a call took could not be given back: %s", kind)


def _trace(session: GuardSession | None) -> Trace:
    return new_trace() if session is None else session.trace


def _denied(parts: Parts, request: Request, trace: Trace, code: str, text: str) -> Ticket:
    decision = parts.revision.engine.denied(request, code, text)
    try:
        now = parts.now()
    except Exception:  # noqa: BLE001 - it may be the clock that fails, and the denial is recorded
        now = now_utc()
    return Ticket(decision, now, trace)


def _attempt(
    parts: Parts,
    revision: Revision,
    request: Request,
    needs: Needs,
    answers: Mapping[str, Any],
    trace: Trace,
) -> Ticket | None:
    """Decide, and take what a permitted call takes; None where something changed meanwhile."""
    try:
        decision, now, gates = _judged(parts, revision.engine, request, needs, answers)
        hold = _take(parts, decision, now, gates)
        if hold is None:
            return None
        used = gates if gates and decision.permitted else ()
        if parts.revision is not revision:
            _undo(parts, decision, hold, used)
            return None
    except Exception as error:  # noqa: BLE001 - where a store fails, nothing is let through
        return _unreached(parts, request, trace, error)
    return Ticket(decision, now, trace, hold, used, is_named=needs.is_named)


def _unreached(parts: Parts, request: Request, trace: Trace, error: Exception) -> Ticket:
    kind = type(error).__name__
    warn(trace, "state or approvals could not be reached: %s", kind)
    text = f"State or approvals could not be reached ({kind})."
    return _denied(parts, request, trace, "guard.failed", text)


def _judged(
    parts: Parts, engine: Engine, request: Request, needs: Needs, answers: Mapping[str, Any]
) -> tuple[Decision, datetime, tuple[ApprovalNeeded, ...]]:
    """Decide; where an approval is needed, once more with what people said."""
    now = parts.now()
    facts: Facts = parts.state.facts(request, needs, now, answers)
    decision = engine.decide(request, facts)
    if decision.effect != "require_approval":
        return decision, now, ()
    gates = tuple(o for o in decision.obligations if isinstance(o, ApprovalNeeded))
    statuses = parts.approvals.statuses(decision.fingerprint, gates, now)
    if statuses:
        decision = engine.decide(request, replace(facts, approvals=statuses))
    return decision, now, gates


def _take(
    parts: Parts, decision: Decision, now: datetime, gates: tuple[ApprovalNeeded, ...]
) -> Hold | None:
    """Reserve what a permitted call counts, and use up what lifts it; None where it is gone."""
    hold = parts.state.commit(decision, now)
    if hold is None or not gates or not decision.permitted:
        return hold
    try:
        is_lifted = parts.approvals.use(decision.fingerprint, gates, now)
    except BaseException:
        parts.state.release(hold)
        raise
    if is_lifted:
        return hold
    parts.state.release(hold)
    return None


def _undo(
    parts: Parts, decision: Decision, hold: Hold | None, used: tuple[ApprovalNeeded, ...]
) -> None:
    if hold is not None:
        parts.state.release(hold)
    if used:
        parts.approvals.release(decision.fingerprint, tuple(gate.rule for gate in used))


def _recorded(parts: Parts, ticket: Ticket, started: int) -> Ticket:
    """Ask people where that is needed, and record what was decided."""
    try:
        if ticket.decision.effect == "require_approval":
            _ask(parts, ticket)
        parts.record(ticket, (perf_counter_ns() - started) // 1000)
    except AuditError as error:
        give_back(parts, ticket)
        text = "The decision could not be recorded."
        raise Denied(ticket.decision.denied("record.failed", text)) from error
    except BaseException:
        give_back(parts, ticket)
        raise
    if ticket.hold is not None and ticket.hold.alerts:
        parts.alert(ticket.hold.alerts, ticket.trace)
    return ticket


def _ask(parts: Parts, ticket: Ticket) -> None:
    approvals: tuple[Approval, ...] = ()
    try:
        approvals = parts.approvals.ask(ticket.decision, ticket.now)
    except ApprovalError as error:
        text = f"An approval cannot be asked for: {error.message}."
        ticket.decision = ticket.decision.denied("approval.refused", text)
    except Exception as error:  # noqa: BLE001 - whatever the store raises, nobody was asked
        text = f"An approval cannot be asked for ({type(error).__name__})."
        ticket.decision = ticket.decision.denied("approval.refused", text)
    ticket.approvals = approvals
