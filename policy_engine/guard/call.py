"""One call of a guarded tool, from its arguments to its result, driven by whoever waits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter_ns
from typing import Any, Final, TypeVar

from policy_engine.audit import OutcomeStatus
from policy_engine.decision import Request, Timeout
from policy_engine.errors import AuditError
from policy_engine.guard.denied import Denied
from policy_engine.guard.drive import Steps
from policy_engine.guard.log import warn
from policy_engine.guard.parts import Parts
from policy_engine.guard.road import give_back, stopped, walk
from policy_engine.guard.session import GuardSession
from policy_engine.guard.signature import Bound, Signature
from policy_engine.guard.ticket import Ticket
from policy_engine.guard.timeout import Allowance
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import replaced, snapshot

__all__ = ["Call", "Tool", "enter"]

T = TypeVar("T")


class _Unreadable:
    """Stands for a result without a JSON form: no rule can tell what it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "a result without a JSON form"


_UNREADABLE: Final = _Unreadable()


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that is guarded."""

    name: str
    signature: Signature

    def request(self, args: dict[str, Any] | None, session: GuardSession | None) -> Request:
        """Return what the policies judge."""
        if session is None:
            return Request(tool=self.name, args=args)
        return Request(
            agent=session.agent,
            principal=session.principal,
            session=session.id,
            tool=self.name,
            args=args,
            context=session.context,
        )


class Call:
    """One call that is permitted: judge what it hands back, then `end` it or let it `fail`.

    Args:
        parts: What the guard acts through.
        session: Who asks.
        ticket: The decision that permits it.
    """

    __slots__ = (
        "_has_handed",
        "_is_over",
        "_parts",
        "_session",
        "_started",
        "_ticket",
        "allowance",
    )

    def __init__(self, parts: Parts, session: GuardSession | None, ticket: Ticket) -> None:
        self._parts = parts
        self._session = session
        self._ticket = ticket
        self._has_handed = False
        self._is_over = False
        self._started = perf_counter_ns()
        self.allowance = _allowance(ticket)

    def leave(self, result: T) -> Steps[T]:
        """Judge a result, and return it as it may be handed back.

        Raises:
            Denied: The result is not permitted, or its outcome could not be recorded.
        """
        try:
            handed = yield from self.judge(result)
        except BaseException as error:
            self.end("returned", is_quiet=not isinstance(error, Exception))
            raise
        self.end("returned")
        return handed

    def judge(self, result: T) -> Steps[T]:
        """Judge a result, or a part of one, and return it as it may be handed back.

        Raises:
            Denied: It is not permitted.
        """
        if self._is_quiet():
            return result
        judged: Any = _UNREADABLE
        kept: Any = result
        # What cannot be read cannot be told, and then what restricts matches.
        with suppress(UnjudgeableError):
            judged, kept = snapshot(result)
        request = self._ticket.decision.request.returning(judged)
        found = yield from walk(self._parts, request, self._session)
        denied = stopped(self._parts, found)
        if denied is not None:
            raise denied
        try:
            handed: T = replaced(kept, judged, found.decision.request.result)
        except UnjudgeableError as error:
            text = f"The result cannot be redacted: {error}."
            raise Denied(found.decision.denied("guard.unjudgeable", text)) from error
        return handed

    def leave_quietly(self) -> bool:
        """End the call where nothing asks what it returned; whether that is so.

        Raises:
            Denied: The outcome could not be recorded.
        """
        if not self._is_quiet():
            return False
        self.end("returned")
        return True

    def _is_quiet(self) -> bool:
        parts = self._parts
        try:
            if parts.state.halts():
                return False
        except Exception:  # noqa: BLE001 - where the store fails, the result is judged and denied
            return False
        return parts.revision.engine.is_result_quiet(self._ticket.decision.request)

    def fail(self, error: BaseException, late: OutcomeStatus = "unknown") -> None:
        """Note that the function raised, was cancelled, or took too long.

        Args:
            error: What it raised.
            late: What became of it where it took too long.

        Raises:
            Denied: That could not be recorded.
        """
        status: OutcomeStatus = "raised"
        if self.allowance is not None and self.allowance.is_over:
            status = late
        elif isinstance(error, asyncio.CancelledError | GeneratorExit):
            status = "cancelled"
        self.end(status, error, is_quiet=not isinstance(error, Exception))

    def hand_back(self, now: datetime | None = None) -> None:
        """Set labels and count the call as returned: something of it is handed back from now.

        Raises:
            Denied: State could not be reached.
        """
        if self._has_handed:
            return
        self._has_handed = True
        now = self._now() if now is None else now
        try:
            self._parts.state.returned(self._ticket.decision, now)
        except Exception as error:
            kind = type(error).__name__
            warn(self._ticket.trace, "state could not be reached after a call: %s", kind)
            text = f"State could not be reached ({kind}), so what the call returned is withheld."
            raise Denied(self._ticket.decision.denied("guard.failed", text)) from error

    def end(
        self, status: OutcomeStatus, error: BaseException | None = None, *, is_quiet: bool = False
    ) -> None:
        """Set labels, settle and record, once.

        Args:
            status: How the call ended.
            error: What it raised.
            is_quiet: Whether what cannot be noted or recorded is logged: something else is
                being raised that must not be hidden.

        Raises:
            Denied: The outcome could not be noted or recorded.
        """
        if self._is_over:
            return
        self._is_over = True
        now = self._now()
        try:
            try:
                self.hand_back(now)
            finally:
                self._record(status, now, error)
        except Denied as denied:
            if not is_quiet:
                raise
            warn(self._ticket.trace, "after a call: %s", denied.decision.message)

    def _now(self) -> datetime:
        """Return the time; where the clock fails, that of the decision, so that all is noted."""
        try:
            return self._parts.now()
        except Exception as error:  # noqa: BLE001 - whatever the clock raises
            kind = type(error).__name__
            warn(self._ticket.trace, "the clock failed after a call: %s", kind)
            return self._ticket.now

    def _record(self, status: OutcomeStatus, now: datetime, error: BaseException | None) -> None:
        ticket = self._ticket
        elapsed_us = (perf_counter_ns() - self._started) // 1000
        try:
            self._parts.record_outcome(ticket, status, now, elapsed_us, error)
        except AuditError as failure:
            warn(ticket.trace, "an outcome could not be recorded: %s", failure.message)
            text = "The outcome could not be recorded."
            raise Denied(ticket.decision.denied("record.failed", text)) from failure

    def drop(self, error: BaseException | None = None) -> None:
        """Give back what the call took, because it certainly does not run."""
        if self._is_over:
            return
        self._is_over = True
        give_back(self._parts, self._ticket)
        try:
            self._parts.record_outcome(self._ticket, "not_run", self._now(), 0, error)
        except AuditError as failure:
            warn(self._ticket.trace, "an outcome could not be recorded: %s", failure.message)


def enter(
    parts: Parts, tool: Tool, session: GuardSession | None, bound: Bound, ticket: Ticket
) -> tuple[Call, tuple[Any, ...], dict[str, Any]]:
    """Return a call that is permitted, and what its function is called with.

    Raises:
        Denied: The call is not permitted.
    """
    denied = stopped(parts, ticket)
    if denied is not None:
        raise denied
    call = Call(parts, session, ticket)
    try:
        positional, keywords = tool.signature.call(bound, ticket.decision.request.args)
    except UnjudgeableError as error:
        denied = Denied(ticket.decision.denied("guard.unjudgeable", f"{error}"))
        call.drop(denied)
        raise denied from error
    return call, positional, keywords


def _allowance(ticket: Ticket) -> Allowance | None:
    for item in ticket.decision.obligations:
        if isinstance(item, Timeout):
            return Allowance(item.seconds)
    return None
