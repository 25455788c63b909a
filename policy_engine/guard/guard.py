"""The enforcement point: it asks the engine, counts, records, and lets through or stops."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, TypeVar, overload
from uuid import uuid4

from policy_engine.approvals import Approvals, MemoryApprovals
from policy_engine.audit import SinkLike, new_trace, read_traceparent, sink_of
from policy_engine.decision import CODES, Decision, Halt, Needs, Request, Stage
from policy_engine.engine import Engine
from policy_engine.guard.asked import Asked, asked, call_async
from policy_engine.guard.call import Call
from policy_engine.guard.decorator import Guarding, Telling
from policy_engine.guard.denied import Denied
from policy_engine.guard.drive import drive, drive_async
from policy_engine.guard.enforced import Enforced, copied, named
from policy_engine.guard.gather import FactFunction
from policy_engine.guard.guarded import Options, guard_function
from policy_engine.guard.log import LOG, warn
from policy_engine.guard.parts import Parts, now_utc
from policy_engine.guard.reload import Folder, Watch
from policy_engine.guard.revision import revision_of
from policy_engine.guard.road import look, passed, passed_async, refuse, stopped
from policy_engine.guard.session import GuardSession, current
from policy_engine.guard.ticket import Ticket
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.state import Alert, MemoryState, State

__all__ = ["RECORDS", "Guard", "guarded"]

P = ParamSpec("P")
R = TypeVar("R")

RECORDS: Final = "policy-engine.jsonl"
"""Where records go unless told: in the working folder."""


class Guard:
    """Enforces a policy set.

    Args:
        folder: The policies, loaded.
        records: Where decisions and outcomes are recorded: a path, a logger, a callable that
            takes a line of JSON as bytes, or a `Sink`. A record that cannot be written denies.
        approvals: Who may lift a denial; in memory unless told.
        state: Sessions, counters and halts; in memory unless told.
        on_alert: Called once when a limit reaches its `alert_at`.
        clock: Returns the time, with an offset.

    Raises:
        AuditError: Records cannot go there.
        TypeError: `on_alert` is async: it is called while a decision is made.
        ValueError: The clock does not say its offset.
    """

    def __init__(
        self,
        folder: Folder,
        *,
        records: SinkLike = RECORDS,
        approvals: Approvals | None = None,
        state: State | None = None,
        on_alert: Callable[[Alert], object] | None = None,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        if inspect.iscoroutinefunction(on_alert):
            raise TypeError("on_alert is called without being awaited: give a plain function")
        self.approvals: Approvals = MemoryApprovals(clock=clock) if approvals is None else approvals
        """Who may lift a denial: `pending`, `approve`, `reject`."""
        self.state: State = MemoryState() if state is None else state
        """Sessions, counters and halts."""
        self._folder = folder
        self._parts = Parts(
            revision=revision_of(folder.compiled, self.approvals.key),
            state=self.state,
            approvals=self.approvals,
            sink=sink_of(records),
            clock=clock,
            on_alert=on_alert,
        )
        self._parts.now()
        self._reloading = threading.Lock()

    @classmethod
    def from_path(
        cls,
        path: str | Path,
        *,
        records: SinkLike = RECORDS,
        approvals: Approvals | None = None,
        state: State | None = None,
        on_alert: Callable[[Alert], object] | None = None,
        clock: Callable[[], datetime] = now_utc,
    ) -> Guard:
        """Load a policy set and guard by it.

        Raises:
            PolicyError: With every fault; nothing is guarded by half a set.
        """
        return cls(
            Folder(path),
            records=records,
            approvals=approvals,
            state=state,
            on_alert=on_alert,
            clock=clock,
        )

    # Deciding

    def decide(self, request: Request) -> Decision:
        """Decide a request as things stand; nothing is counted, recorded or asked for."""
        session = current(self)
        try:
            asked = copied(request, session)
        except UnjudgeableError as error:
            return self._unjudged(request, error)
        return drive(look(self._parts, asked, session), self._parts.functions)

    async def adecide(self, request: Request) -> Decision:
        """Decide likewise, without blocking the event loop."""
        session = current(self)
        try:
            asked = copied(request, session)
        except UnjudgeableError as error:
            return self._unjudged(request, error)
        return await drive_async(look(self._parts, asked, session), self._parts.functions)

    def enforce(self, request: Request) -> Decision:
        """Decide, count and record a request; what runs is the `request` of the decision.

        What the request leaves open of agent, principal, session and context is the session's.
        After a tool call tell what became of it: `returned`, or `release` where it did not run.
        The same request under the same call id may be asked again until then, counts once, and
        is to be run once; what ran nevertheless is counted.

        Raises:
            Denied: It is not permitted.
            ApprovalRequired: People may lift the denial.
        """
        session = current(self)
        asked = self._copied(request, session)
        ticket = passed(self._parts, asked, session)
        return self._permitted(ticket, session)

    async def aenforce(self, request: Request) -> Decision:
        """Enforce likewise, without blocking the event loop."""
        session = current(self)
        asked = self._copied(request, session)
        ticket = await passed_async(self._parts, asked, session)
        return self._permitted(ticket, session)

    async def aask(self, request: Request) -> Asked:
        """Ask people what a request needs, before it is made: for frameworks that pause.

        Nothing is counted or used up. A request that is denied is asked of nobody.
        """
        session = current(self)
        road = asked(self._parts, self._copied(request, session), session)
        return await drive_async(road, self._parts.functions)

    async def acall(self, request: Request, function: Callable[[Decision], Awaitable[R]]) -> R:
        """Make a call: decide, run the function, judge its result, record what became of it.

        Args:
            request: The call, with its final arguments.
            function: Runs it, by `decision.request.args`: redacted where a rule says so.

        Raises:
            Denied: The call or its result is not permitted.
            ApprovalRequired: People may lift the denial.
        """
        session = current(self)
        return await call_async(self._parts, self._copied(request, session), session, function)

    @property
    def engine(self) -> Engine:
        """What decides: the revision in force."""
        return self._parts.revision.engine

    def refuse(self, request: Request, code: str, message: str) -> Denied:
        """Record that a request is denied whatever the policies say; return what to raise.

        For what nobody could carry out: nothing is counted, and nobody is asked.

        Args:
            request: What was asked.
            code: Why, of the closed list.
            message: What the model is told.

        Raises:
            Denied: The request has no form that could be recorded.
            ValueError: The code is not of that list.
        """
        if code not in CODES:
            raise ValueError(f'"{code}" is no code of a decision: there are {", ".join(CODES)}')
        session = current(self)
        return refuse(self._parts, self._copied(request, session), session, code, message)

    def returned(self, decision: Decision, *, error: BaseException | None = None) -> None:
        """Note that a call has handed back its result or its error: labels, counts, record.

        Args:
            decision: What `enforce` returned; noted once.
            error: What the call raised.

        Raises:
            Denied: The outcome could not be recorded, so the result may not be handed on.
            TypeError: `enforce` did not return this.
        """
        call = _call_of(decision)
        if error is None:
            call.end("returned")
        else:
            call.fail(error)

    def release(self, decision: Decision) -> None:
        """Give back what a call counts and its approvals, because it certainly does not run.

        Raises:
            TypeError: `enforce` did not return this.
        """
        _call_of(decision).drop()

    def ran(self, request: Request) -> bool | None:
        """Whether a call under the request's call id ran in its session; None: it cannot be told.

        Another one under that id is denied.
        """
        asked = self._copied(request, current(self))
        try:
            return self.state.facts(asked, Needs(), self._parts.now()).ran
        except Exception as error:  # noqa: BLE001 - whatever the store raises
            warn(new_trace(), "state could not be reached: %s", type(error).__name__)
            return None

    # Text

    def check_input(self, text: str) -> str:
        """Return a text as the agent may read it: redacted where a rule says so.

        Raises:
            Denied: The agent may not read it.
        """
        return self._text(self.enforce(self._about("input", text)))

    async def acheck_input(self, text: str) -> str:
        """Check likewise, without blocking the event loop."""
        return self._text(await self.aenforce(self._about("input", text)))

    def check_output(self, text: str) -> str:
        """Return a text as the agent may say it; raises as `check_input`."""
        return self._text(self.enforce(self._about("output", text)))

    async def acheck_output(self, text: str) -> str:
        """Check likewise, without blocking the event loop."""
        return self._text(await self.aenforce(self._about("output", text)))

    # Who asks

    def session(
        self,
        id: str | None = None,  # noqa: A002 - the word of the request
        *,
        agent: str | None = None,
        principal: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        traceparent: str | None = None,
    ) -> GuardSession:
        """Say who asks, for all that runs inside `with`.

        Args:
            id: The session: what labels, calls and limits are kept by.
            agent: The agent's name.
            principal: `id`, `roles`, `tenant`, `attrs` of the person or service it acts for.
            context: What the policies declare under `context`.
            traceparent: The W3C header of the caller's trace; a new trace where it has none.
        """
        trace = read_traceparent(traceparent) or new_trace()
        return GuardSession(
            self, id, agent=agent, principal=principal, context=context, trace=trace
        )

    # Tools

    @overload
    def tool(
        self,
        function: Callable[P, R],
        /,
        *,
        name: str | None = None,
        inject: Sequence[str] = (),
        wait: float = 0.0,
    ) -> Callable[P, R]: ...

    @overload
    def tool(
        self,
        function: None = None,
        /,
        *,
        name: str | None = None,
        on_denied: Literal["raise"] = "raise",
        inject: Sequence[str] = (),
        wait: float = 0.0,
    ) -> Guarding: ...
    @overload
    def tool(
        self,
        function: None = None,
        /,
        *,
        name: str | None = None,
        on_denied: Literal["return"],
        inject: Sequence[str] = (),
        wait: float = 0.0,
    ) -> Telling: ...

    def tool(
        self,
        function: Any = None,
        /,
        *,
        name: str | None = None,
        on_denied: Literal["raise", "return"] = "raise",
        inject: Sequence[str] = (),
        wait: float = 0.0,
    ) -> Any:
        """Guard a function: a decorator, with or without arguments, nearest to `def`.

        A decorator of a framework that has registered the function already (`@mcp.tool()`) must
        stand above: it would go on calling the function that is not guarded.

        Args:
            function: The function, where the decorator has no arguments.
            name: What policies call the tool; the function's name unless told.
            on_denied: `return` hands the message for the model back instead of raising; a
                generator yields it.
            inject: Parameters that the model does not supply, and policies do not judge.
            wait: How many seconds to wait for an approval before raising.

        Raises:
            TypeError: It is no plain function, is guarded already, makes a context manager, or
                `inject` names no parameter of it.
            ValueError: `wait` is no time, or `on_denied` is neither `raise` nor `return`.
        """
        names = inject if isinstance(inject, str) else tuple(inject)
        options = Options(name, on_denied, names, wait)  # type: ignore[arg-type]

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            return guard_function(self, self._parts, function, options)

        return decorate if function is None else decorate(function)

    def fact(self, name: str, function: FactFunction) -> None:
        """Register how a fact is looked up: `from: app:<name>` in the policies.

        Args:
            name: The name behind `app:`.
            function: Takes what `with` lists; sync or async; returns JSON values.
        """
        if not callable(function):
            raise TypeError(f'the fact "{name}" needs a function, not {type(function).__name__}')
        self._parts.functions[name] = function

    # Usage and halts

    def record_usage(
        self,
        *,
        model: str,
        input_tokens: int,
        output_tokens: int,
        call_id: str | None = None,
    ) -> float | None:
        """Settle what a permitted model request used, by the prices of the policies.

        Usage that no request waited for counts all the same, and is logged.

        Returns:
            What it cost in USD; None where no policy names a price of the model.
        """
        request = replace(self._about("model_request", None), model=model, call_id=call_id)
        revision = self._parts.revision
        cost = revision.cost(model, input_tokens, output_tokens)
        usage = self.state.record_usage(
            request,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost_usd=cost,
            now=self._parts.now(),
            unasked=revision.owed(request),
        )
        session = current(self)
        trace = new_trace() if session is None else session.trace
        if not usage.was_awaited and revision.engine.limits(request):
            warn(trace, "usage was reported that no permitted model request waited for")
        self._parts.alert(usage.alerts, trace)
        return cost

    def halt(
        self,
        scope: Literal["tool", "agent", "session", "all"],
        name: str | None = None,
        *,
        reason: str,
        until: datetime | None = None,
    ) -> str:
        """Stop a tool, an agent, a session or everything, at once; return the halt's id."""
        if (scope == "all") != (name is None):
            raise ValueError("name what is halted, unless it is everything")
        if until is not None and until.utcoffset() is None:
            raise ValueError("the end of a halt needs an offset from UTC")
        halt = Halt(uuid4().hex[:12], scope, name, reason, until)
        self.state.halt(halt)
        LOG.warning('halted "%s" by "%s": %s', name or "everything", halt.id, reason)
        return halt.id

    def resume(self, halt_id: str) -> bool:
        """End a halt; whether it stood."""
        return self.state.resume(halt_id)

    # Revisions

    @property
    def revision(self) -> str:
        """The hash of the policy set in force."""
        return self._parts.revision.policies.revision

    def reload(self, *, allow_vanished: bool = False) -> str:
        """Read the policies again, now; return the revision in force.

        Raises:
            PolicyError: They are broken, or one vanished; those before stay in force.
        """
        with self._reloading:
            compiled = self._folder.read(allow_vanished=allow_vanished)
            self._parts.revision = revision_of(compiled, self.approvals.key)
            return self.revision

    def poll(self) -> bool:
        """Look at the folder once; whether a changed revision was taken.

        A change is taken when two looks in a row found the same; one that is broken is
        reported once, and the revision before stays in force.
        """
        with self._reloading:
            compiled = self._folder.poll()
            if compiled is None:
                return False
            self._parts.revision = revision_of(compiled, self.approvals.key)
            LOG.info("the policies changed: %s", self.revision)
            return True

    def watch(self, every: float = 2.0) -> Watch:
        """Poll the folder in a thread until the returned watch is stopped.

        Args:
            every: Seconds between two looks.
        """
        return Watch(self.poll, every)

    def _about(self, stage: Stage, text: str | None) -> Request:
        session = current(self)
        if session is None:
            return Request(stage=stage, text=text)
        return Request(
            stage=stage,
            agent=session.agent,
            principal=session.principal,
            session=session.id,
            context=session.context,
            text=text,
        )

    def _unjudged(self, request: Request, error: UnjudgeableError) -> Decision:
        engine = self._parts.revision.engine
        return engine.denied(named(request), "guard.unjudgeable", _sentence(error))

    def _copied(self, request: Request, session: GuardSession | None) -> Request:
        try:
            return copied(request, session)
        except UnjudgeableError as error:
            asked, text = named(request, session), _sentence(error)
            raise refuse(self._parts, asked, session, "guard.unjudgeable", text) from error

    def _permitted(self, ticket: Ticket, session: GuardSession | None) -> Decision:
        denied = stopped(self._parts, ticket)
        if denied is not None:
            raise denied
        return Enforced(ticket.decision, Call(self._parts, session, ticket))

    @staticmethod
    def _text(decision: Decision) -> str:
        return str(decision.request.text)


@overload
def guarded(
    guard: Guard,
    *,
    name: str | None = None,
    on_denied: Literal["raise"] = "raise",
    inject: Sequence[str] = (),
    wait: float = 0.0,
) -> Guarding: ...
@overload
def guarded(
    guard: Guard,
    *,
    name: str | None = None,
    on_denied: Literal["return"],
    inject: Sequence[str] = (),
    wait: float = 0.0,
) -> Telling: ...


def guarded(
    guard: Guard,
    *,
    name: str | None = None,
    on_denied: Literal["raise", "return"] = "raise",
    inject: Sequence[str] = (),
    wait: float = 0.0,
) -> Any:
    """Guard a function: `@guarded(guard)`; the arguments are those of `Guard.tool`.

    Raises:
        TypeError: There is no guard to guard by.
    """
    if not isinstance(guard, Guard):
        raise TypeError(
            "@guarded needs the guard that decides: write @guarded(guard), "
            'with guard = Guard.from_path("policies")'
        )
    return guard.tool(name=name, on_denied=on_denied, inject=inject, wait=wait)


def _call_of(decision: Decision) -> Call:
    if not isinstance(decision, Enforced):
        raise TypeError("this decision was not enforced: give what guard.enforce returned")
    return decision.call


def _sentence(error: UnjudgeableError) -> str:
    return f"The request cannot be judged: {error}."
