"""One call of a guarded tool, from its arguments to its result, driven by whoever waits."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter_ns
from typing import Any, TypeAlias, TypeVar

from policy_engine.audit import OutcomeStatus
from policy_engine.decision import Decision, FactNeed, Request, Timeout
from policy_engine.errors import AuditError
from policy_engine.guard.denied import Denied
from policy_engine.guard.parts import Parts, Ticket
from policy_engine.guard.road import stopped, walk
from policy_engine.guard.session import GuardSession
from policy_engine.guard.signature import Bound, Signature
from policy_engine.guard.values import UnjudgeableError, replaced, snapshot

__all__ = ["Call", "RequestCall", "Tool", "ToolTimeout"]

T = TypeVar("T")
Steps: TypeAlias = Generator[Sequence[FactNeed], Mapping[str, Any], T]


class ToolTimeout(TimeoutError):  # noqa: N818 - as TimeoutError
    """A tool took longer than its policies permit."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that is guarded."""

    name: str
    signature: Signature

    def request(self, bound: Bound, session: GuardSession | None) -> Request:
        """Return what the policies judge."""
        if session is None:
            return Request(tool=self.name, args=bound.judged)
        return Request(
            agent=session.agent,
            principal=session.principal,
            session=session.id,
            tool=self.name,
            args=bound.judged,
            context=session.context,
        )


class RequestCall:
    """One call of whatever: `admit` before it runs, then `leave` with its result or `fail`."""

    __slots__ = ("_ended", "_parts", "_session", "_started", "_ticket")

    def __init__(self, parts: Parts, session: GuardSession | None) -> None:
        self._parts = parts
        self._session = session
        self._ended = False
        self._started = 0
        self._ticket: Ticket | None = None

    def admit(self, request: Request) -> Steps[Ticket]:
        """Decide about the call; what may run stands in the ticket's decision.

        Raises:
            Denied: The call is not permitted.
        """
        ticket = yield from walk(self._parts, request, self._session)
        denied = stopped(self._parts, ticket)
        if denied is not None:
            raise denied
        self._ticket = ticket
        self._started = perf_counter_ns()
        return ticket

    @property
    def timeout(self) -> float | None:
        """How long the function may take, in seconds."""
        if self._ticket is None:
            return None
        for item in self._ticket.decision.obligations:
            if isinstance(item, Timeout):
                return item.seconds
        return None

    def leave(self, result: T) -> Steps[T]:
        """Judge a result, and return it as it may be handed back.

        Raises:
            Denied: The result is not permitted, or its outcome could not be recorded.
        """
        try:
            handed = yield from self.judge(result)
        finally:
            self.end("returned")
        return handed

    def judge(self, result: T) -> Steps[T]:
        """Judge a result, or a part of one, and return it as it may be handed back."""
        ticket = self._required()
        asked = replace(ticket.decision.request, stage="tool_result")
        if self._parts.revision.engine.is_quiet(asked):
            return result
        try:
            judged, _ = snapshot(result)
        except UnjudgeableError:
            judged = result
        found = yield from walk(self._parts, replace(asked, result=judged), self._session)
        denied = stopped(self._parts, found)
        if denied is not None:
            raise denied
        permitted = found.decision.request.result
        if permitted is judged:
            return result
        try:
            handed: T = replaced(result, permitted)
        except UnjudgeableError as error:
            raise Denied(found.decision.denied("guard.unjudgeable", f"{error}")) from error
        return handed

    def fail(self, error: BaseException, status: OutcomeStatus | None = None) -> None:
        """Note that the function raised, or never ran."""
        if status is None:
            status = "raised"
            if isinstance(error, ToolTimeout):
                status = "timed_out"
            elif isinstance(error, asyncio.CancelledError | GeneratorExit):
                status = "cancelled"
        self.end(status, error)

    def end(self, status: OutcomeStatus, error: BaseException | None = None) -> None:
        """Set labels, settle and record, once; raise `Denied` where that cannot be recorded."""
        if self._ended:
            return
        self._ended = True
        ticket = self._required()
        self._parts.state.returned(ticket.decision, self._parts.clock())
        elapsed_us = (perf_counter_ns() - self._started) // 1000 if self._started else 0
        try:
            self._parts.record_outcome(ticket, status, elapsed_us, error)
        except AuditError as failure:
            text = "The outcome could not be recorded."
            raise Denied(ticket.decision.denied("record.failed", text)) from failure

    def _required(self) -> Ticket:
        if self._ticket is None:
            raise RuntimeError("the call was not permitted")
        return self._ticket

    @property
    def decision(self) -> Decision:
        """The decision that permitted the call."""
        return self._required().decision


class Call(RequestCall):
    """One call of a guarded function: `enter` before it runs, then `leave` or `fail`."""

    __slots__ = ("_bound", "_tool")

    def __init__(
        self, parts: Parts, tool: Tool, session: GuardSession | None, bound: Bound
    ) -> None:
        super().__init__(parts, session)
        self._tool = tool
        self._bound = bound

    def enter(self) -> Steps[tuple[tuple[Any, ...], dict[str, Any]]]:
        """Decide, and return what the function is called with.

        Raises:
            Denied: The call is not permitted.
        """
        ticket = yield from self.admit(self._tool.request(self._bound, self._session))
        try:
            arguments = self._tool.signature.call(self._bound, ticket.decision.request.args)
        except UnjudgeableError as error:
            self.fail(error, "not_run")
            raise Denied(ticket.decision.denied("guard.unjudgeable", f"{error}")) from error
        return arguments
