"""State in memory: what one process remembers between requests."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from policy_engine.decision import (
    NO_FACTS,
    Count,
    CounterNeed,
    Decision,
    Facts,
    Halt,
    Needs,
    Request,
    Reservation,
    Session,
)
from policy_engine.forks import fork_safe_lock
from policy_engine.state.counter import Held, microseconds
from policy_engine.state.counters import Counters
from policy_engine.state.forgotten import Forgotten
from policy_engine.state.hold import NO_HOLD, Hold, Key, Scope, Usage, call_of, scope_of
from policy_engine.state.sessions import Remembered, Sessions
from policy_engine.state.usage import UsageLedger

__all__ = ["MemoryState"]


class MemoryState:
    """Sessions, labels, counters and call ids of one process; bounded, and safe for threads.

    What had to be dropped for room is remembered as dropped: it cannot be told, it is not empty.
    Time is given by the caller; where it runs backwards, no limit loosens.

    Args:
        max_sessions: How many sessions are kept; the longest unused go first.
        max_counters: How many counters are kept, likewise.
        idle: After how many seconds without a request a session is dropped; None for never.
    """

    def __init__(
        self,
        *,
        max_sessions: int = 100_000,
        max_counters: int = 200_000,
        idle: float | None = None,
    ) -> None:
        forgotten = Forgotten()
        self._sessions = Sessions(max_sessions, idle, forgotten)
        self._counters = Counters(max_counters, forgotten)
        self._usage = UsageLedger(max_sessions, self._counters)
        self._halts: tuple[Halt, ...] = ()
        self._lock = fork_safe_lock()

    def facts(
        self,
        request: Request,
        needs: Needs,
        now: datetime,
        answers: Mapping[str, Any] | None = None,
    ) -> Facts:
        """Return what a decision will read; nothing is changed.

        Args:
            request: The request to decide.
            needs: What the engine says that it reads.
            now: The time.
            answers: The facts that the application looked up, by name.
        """
        found = {} if answers is None else answers
        if not (needs.session or needs.counters) and request.call_id is None:
            if not (needs.now or self._halts or found):
                return NO_FACTS
            return Facts(now=now, halts=self._halts, answers=found)
        time = microseconds(now)
        scope = scope_of(request)
        with self._lock:
            remembered, is_known = self._sessions.look(scope, now)
            held = {} if remembered is None else remembered.held(request)
            return Facts(
                now=now,
                session=_session(request, remembered, now) if is_known and needs.session else None,
                counters=self._counts(scope, needs.counters, held, time),
                halts=self._halts,
                answers=found,
                ran=self._sessions.ran(scope, remembered, request)
                if is_known
                else _unless_told(request),
            )

    def commit(self, decision: Decision, now: datetime) -> Hold | None:
        """Count a permitted request towards its limits: all of them or none.

        Any request makes its session known. The same request under a call id that was counted
        and has not run is counted once; another request under that id is counted for itself.

        Returns:
            What it holds; None where a limit was used up meanwhile: decide again.
        """
        request, obligations = decision.asked, decision.outcome.obligations
        scope = scope_of(request)
        counts_nothing = request.call_id is None and not obligations
        if counts_nothing and self._sessions.stays(scope):
            return NO_HOLD
        with self._lock:
            remembered = self._sessions.touch(scope, now)
            if counts_nothing or not decision.permitted:
                return NO_HOLD
            if self._sessions.ran(scope, remembered, request) is not False:
                return None
            time = microseconds(now)
            wanted = [item for item in obligations if isinstance(item, Reservation)]
            held = {} if remembered is None else remembered.held(request)
            for item in wanted:
                if item.enforced and not self._fits(scope, item, held, time):
                    return None
            before = self._counters.alerting(wanted, time)
            taken = self._take(scope, wanted, held, time)
            alerts = self._counters.alerts(before, time)
            call = call_of(request) if taken else None
            if remembered is not None and call is not None:
                remembered.hold(call, taken)
            self._usage.expect(scope, request, wanted, again=bool(held))
            if not taken:
                return NO_HOLD
            return Hold(scope, call, request.model, taken, bool(held), alerts)

    def release(self, hold: Hold) -> None:
        """Give back what a request holds that will not run after all.

        What another request of the same call holds too stays counted: that one may run.
        """
        with self._lock:
            taken: Mapping[Key, Held | None] | None = hold.taken
            remembered = self._sessions.get(hold.scope)
            if remembered is not None and hold.call is not None:
                taken = remembered.give_back(hold.call)
            if taken is not None:
                # Usage that was reported meanwhile stays counted.
                self._counters.give_back(taken, self._usage.forget(hold))

    def used(self, limit: str, key: tuple[str, ...], now: datetime) -> float:
        """Return what a counter holds."""
        with self._lock:
            return self._counters.used((limit, key), microseconds(now))

    def halt(self, halt: Halt) -> None:
        """Stop a tool, an agent, a session or everything, from now on."""
        with self._lock:
            others = tuple(old for old in self._halts if old.id != halt.id)
            self._halts = (*others, halt)

    def resume(self, halt_id: str) -> bool:
        """End a halt; whether there was one."""
        with self._lock:
            kept = tuple(old for old in self._halts if old.id != halt_id)
            found = len(kept) < len(self._halts)
            self._halts = kept
            return found

    def halts(self) -> tuple[Halt, ...]:
        """Return the halts that stand."""
        return self._halts

    def returned(self, decision: Decision, now: datetime) -> None:
        """Note that a permitted call has handed back its result or its error."""
        request = decision.asked
        scope = scope_of(request)
        with self._lock:
            remembered = self._sessions.touch(scope, now)
            if remembered is None or not decision.permitted:
                return
            if request.call_id is not None and self._sessions.ran(scope, remembered, request):
                self._count_again(decision, microseconds(now))
            self._sessions.note(scope, remembered, decision)

    def record_usage(
        self,
        request: Request,
        *,
        input_tokens: int,
        output_tokens: int,
        cost_usd: float | None,
        now: datetime,
        unasked: Iterable[Reservation] = (),
    ) -> Usage:
        """Settle what a permitted model request counts towards token and cost limits.

        Args:
            request: Says the session, the model and, where it has one, the call id.
            input_tokens: What the model read.
            output_tokens: What it wrote.
            cost_usd: What that costs; None leaves cost limits unsettled.
            now: The time.
            unasked: What it counts towards where no permitted request was waiting for it.
        """
        tokens = input_tokens + output_tokens
        if min(input_tokens, output_tokens) < 0 or not 0 <= (cost_usd or 0) < math.inf:
            raise ValueError("usage is never negative, and finite")
        amounts = {"tokens": tokens, "cost_usd": cost_usd}
        scope = scope_of(request)
        time = microseconds(now)
        with self._lock:
            found = self._usage.waiting(scope, request)
            if found is None:
                return Usage(was_awaited=False, alerts=self._usage.add(unasked, amounts, time))
            alerts = self._usage.settle(scope, found, amounts, time)
            remembered = self._sessions.get(scope)
            if found.call_id is not None and remembered is not None:
                remembered.drop(("model_request", found.call_id, ""))
            return Usage(was_awaited=True, alerts=alerts)

    def _count_again(self, decision: Decision, time: int) -> None:
        """Count a call that ran although its id had run: both asked before either did."""
        for item in decision.obligations:
            if isinstance(item, Reservation) and item.amount is not None:
                self._counters.of(item, time).add(time, item.amount)

    def _counts(
        self, scope: Scope, needs: Iterable[CounterNeed], held: Mapping[Key, Held | None], time: int
    ) -> Mapping[Key, Count]:
        counts: dict[Key, Count] = {}
        for need in needs:
            key = (need.limit, need.key)
            counter = self._counters.find(need, time)
            if counter is not None:
                used = counter.used(time, without=held.get(key))
                counts[key] = Count(used, unsettled=self._usage.is_unsettled(scope, key, held))
            elif not self._counters.is_forgotten(key):
                counts[key] = Count(0.0)
        return counts

    def _fits(
        self, scope: Scope, item: Reservation, held: Mapping[Key, Held | None], time: int
    ) -> bool:
        key = (item.limit, item.key)
        counter = self._counters.find(item, time)
        if counter is None:
            return not self._counters.is_forgotten(key) and 0 <= (item.amount or 0) <= item.max
        if item.amount is None:
            unsettled = self._usage.is_unsettled(scope, key, held)
            return not unsettled and counter.used(time) < item.max
        return item.amount >= 0 and counter.fits(time, item.amount, item.max, without=held.get(key))

    def _take(
        self,
        scope: Scope,
        wanted: Iterable[Reservation],
        held: Mapping[Key, Held | None],
        time: int,
    ) -> dict[Key, Held | None]:
        self._counters.give_back(held, None)
        taken: dict[Key, Held | None] = {}
        for item in wanted:
            if not item.enforced and not self._fits(scope, item, {}, time):
                continue
            counter = self._counters.of(item, time)
            key = (item.limit, item.key)
            if item.amount is None:
                counter.unsettled += 1
                taken[key] = None
            else:
                taken[key] = counter.add(time, item.amount)
        return taken


def _session(request: Request, remembered: Remembered | None, now: datetime) -> Session | None:
    if request.session is None:
        return None
    return Session(started=now) if remembered is None else remembered.session()


def _unless_told(request: Request) -> bool | None:
    """Whether a call of a dropped session ran: it can be told only of calls without an id."""
    return False if request.call_id is None else None
