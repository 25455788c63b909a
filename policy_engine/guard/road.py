"""The road of one request: gather, decide, reserve, record; written once for sync and async.

Theory of operation. The road is a generator. It yields the facts that it needs looked up and is
sent the answers; whoever drives it decides whether to wait in threads or on an event loop. No
lock is held at a yield. Counting and using up an approval are each one atomic step; where
somebody else was faster, or the policies changed meanwhile, what was taken is given back and
the road begins again.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter_ns
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from policy_engine.approvals import Approval
from policy_engine.audit import new_trace
from policy_engine.decision import ApprovalNeeded, Decision, FactNeed, Facts, Request
from policy_engine.errors import ApprovalError, AuditError
from policy_engine.guard.denied import ApprovalRequired, Denied
from policy_engine.guard.parts import Parts, Ticket
from policy_engine.guard.session import GuardSession
from policy_engine.state import Hold

__all__ = ["Road", "ask", "look", "stopped", "walk"]

Road: TypeAlias = Generator[Sequence[FactNeed], Mapping[str, Any], Ticket]

_TRIES: Final = 16
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Taken:
    """A decision, and what was taken for it."""

    decision: Decision
    facts: Facts | None = None
    hold: Hold | None = None
    used: tuple[ApprovalNeeded, ...] = ()
    """Gates whose approvals were used up."""

    def give_back(self, parts: Parts) -> None:
        """Undo what was taken for a call that does not run."""
        if self.hold is not None:
            parts.state.release(self.hold)
        if self.used:
            rules = tuple(gate.rule for gate in self.used)
            parts.approvals.release(self.decision.fingerprint, rules)


def look(
    parts: Parts, request: Request
) -> Generator[Sequence[FactNeed], Mapping[str, Any], Decision]:
    """Decide a request as things stand, and change nothing."""
    decision, _, _ = yield from _judge(parts, request)
    return decision


def ask(parts: Parts, request: Request, session: GuardSession | None) -> Road:
    """Decide as things stand; where an approval is needed, ask people for it and record that.

    Nothing is counted or used up, so the request has still to be made.

    Raises:
        Denied: That it was asked could not be recorded.
    """
    started = perf_counter_ns()
    trace = new_trace() if session is None else session.trace
    decision, _, _ = yield from _judge(parts, request)
    if decision.effect != "require_approval":
        return Ticket(decision, "", trace)
    opened: tuple[Approval, ...] = ()
    try:
        opened = parts.approvals.ask(decision, parts.clock())
    except ApprovalError as error:
        decision = decision.denied("approval.refused", f"{error}")
    elapsed_us = (perf_counter_ns() - started) // 1000
    try:
        record_id = parts.record(decision, parts.clock(), trace, elapsed_us)
    except AuditError as error:
        text = "The decision could not be recorded."
        raise Denied(decision.denied("record.failed", text)) from error
    return Ticket(decision, record_id, trace, opened)


def walk(parts: Parts, request: Request, session: GuardSession | None) -> Road:
    """Decide, count and record a request.

    Raises:
        Denied: The decision could not be recorded.
    """
    started = perf_counter_ns()
    trace = new_trace() if session is None else session.trace
    taken = None
    for _ in range(_TRIES):
        revision = parts.revision
        decision, facts, gates = yield from _judge(parts, request)
        taken = _take(parts, decision, facts, gates)
        if taken is not None and parts.revision is revision:
            break
        if taken is not None:
            taken.give_back(parts)
            taken = None
    if taken is None:
        text = "Limits, approvals or policies changed at each attempt; ask again."
        taken = _Taken(decision.denied("guard.contended", text))
    asked: tuple[Approval, ...] = ()
    if taken.decision.effect == "require_approval":
        try:
            asked = parts.approvals.ask(taken.decision, parts.clock())
        except ApprovalError as error:
            taken.give_back(parts)
            taken = _Taken(taken.decision.denied("approval.refused", f"{error}"))
    elapsed_us = (perf_counter_ns() - started) // 1000
    try:
        record_id = parts.record(taken.decision, parts.clock(), trace, elapsed_us)
    except AuditError as error:
        taken.give_back(parts)
        text = "The decision could not be recorded."
        raise Denied(taken.decision.denied("record.failed", text)) from error
    if taken.facts is not None and taken.decision.permitted:
        parts.watch(taken.decision, taken.facts)
    return Ticket(taken.decision, record_id, trace, asked)


def stopped(parts: Parts, ticket: Ticket) -> Denied | None:
    """Return what a decision raises that does not permit."""
    decision = ticket.decision
    if decision.permitted:
        return None
    if not ticket.approvals:
        return Denied(decision)
    return ApprovalRequired(decision, ticket.approvals, parts.approvals)


def _judge(
    parts: Parts, request: Request
) -> Generator[
    Sequence[FactNeed], Mapping[str, Any], tuple[Decision, Facts, tuple[ApprovalNeeded, ...]]
]:
    """Gather and decide; where an approval is needed, once more with what people said."""
    engine = parts.revision.engine
    needs = engine.needs(request)
    answers = (yield needs.facts) if needs.facts else _NOTHING
    now = parts.clock()
    facts = parts.state.facts(request, needs, now, answers)
    decision = engine.decide(request, facts)
    gates: tuple[ApprovalNeeded, ...] = ()
    if decision.effect == "require_approval":
        gates = tuple(o for o in decision.obligations if isinstance(o, ApprovalNeeded))
        statuses = parts.approvals.statuses(decision.fingerprint, gates, now)
        if statuses:
            decision = engine.decide(request, replace(facts, approvals=statuses))
    return decision, facts, gates


def _take(
    parts: Parts, decision: Decision, facts: Facts, gates: tuple[ApprovalNeeded, ...]
) -> _Taken | None:
    """Reserve what a permitted call counts, and use up what lifts it; None where it is gone."""
    now = parts.clock() if facts.now is None else facts.now
    hold = parts.state.commit(decision, now)
    if hold is None:
        return None
    if not gates or not decision.permitted:
        return _Taken(decision, facts, hold)
    if parts.approvals.use(decision.fingerprint, gates, now):
        return _Taken(decision, facts, hold, gates)
    parts.state.release(hold)
    return None
