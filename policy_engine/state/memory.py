"""State in memory: what one process remembers between requests."""

import math
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern
from threading import Lock
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from policy_engine.decision import (
    Calls,
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
from policy_engine.state.alert import Alert, passed
from policy_engine.state.counter import Counter, Held, microseconds
from policy_engine.state.forgotten import Forgotten

__all__ = ["Hold", "MemoryState", "Usage"]

_MAX_CALL_IDS: Final = 10_000
_MAX_UNSETTLED: Final = 1_000
"""How many requests whose usage is unknown may share a counter."""
_NO_LABELS: Final[frozenset[str]] = frozenset()

_Scope: TypeAlias = tuple[str | None, str | None, str | None]
_Key: TypeAlias = tuple[str, tuple[str, ...]]
_Call: TypeAlias = tuple[str, str]


@dataclass(slots=True)
class _Remembered:
    """What is known of one session."""

    started: datetime
    last: int
    labels: frozenset[str] = _NO_LABELS
    calls: dict[str, int] | None = None
    pending: dict[_Call, dict[_Key, Held | None]] | None = None
    """What calls that have not run hold in counters; None for usage that is not reported."""
    ran: dict[str, None] | None = None
    """Call ids of calls that ran, oldest first."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a permitted request holds in counters until it has run."""

    scope: _Scope
    call: _Call | None
    model: str | None
    taken: Mapping[_Key, Held | None]
    again: bool = False
    """Whether an earlier request of this call id holds the same, and may run yet."""
    alerts: tuple[Alert, ...] = ()
    """Limits that this request brought to the share that alerts."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What became of reported usage."""

    was_awaited: bool
    """Whether a permitted request was waiting for it."""
    alerts: tuple[Alert, ...] = ()
    """Limits that it brought to the share that alerts."""


@dataclass(frozen=True, slots=True)
class _Unreported:
    """A permitted request whose usage is not known yet."""

    model: str | None
    call_id: str | None
    reservations: dict[_Key, Reservation] = field(default_factory=dict)


_NO_HOLD: Final = Hold((None, None, None), None, None, MappingProxyType({}))


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
        self._max_sessions = max_sessions
        self._max_counters = max_counters
        self._idle = None if idle is None else round(idle * 1_000_000)
        self._sessions: OrderedDict[_Scope, _Remembered] = OrderedDict()
        self._counters: OrderedDict[_Key, Counter] = OrderedDict()
        self._unreported: OrderedDict[_Scope, deque[_Unreported]] = OrderedDict()
        self._forgotten = Forgotten()
        self._halts: tuple[Halt, ...] = ()
        self._lock = Lock()

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
        time = microseconds(now)
        scope = _scope(request)
        with self._lock:
            remembered, is_known = self._look(scope, time)
            held = _held(remembered, request)
            return Facts(
                now=now,
                session=_session(request, remembered, now) if is_known else None,
                counters=self._counts(scope, needs.counters, held, time),
                halts=self._halts,
                answers={} if answers is None else answers,
                ran=self._ran(scope, remembered, request) if is_known else _unless_told(request),
            )

    def commit(self, decision: Decision, now: datetime) -> Hold | None:
        """Count a permitted request towards its limits: all of them or none.

        Any request makes its session known. A call id that was counted and has not run is
        counted once.

        Returns:
            What it holds; None where a limit was used up meanwhile: decide again.
        """
        time = microseconds(now)
        request = decision.asked
        scope = _scope(request)
        with self._lock:
            remembered = self._touch(scope, now, time)
            if not decision.permitted:
                return _NO_HOLD
            wanted = [item for item in decision.obligations if isinstance(item, Reservation)]
            if request.call_id is not None and self._ran(scope, remembered, request) is not False:
                return None
            held = _held(remembered, request)
            for item in wanted:
                if item.enforced and not self._fits(scope, item, held, time):
                    return None
            before = self._alerting(wanted, time)
            taken = self._take(scope, wanted, held, time)
            alerts = self._alerts(before, time)
            call = None if request.call_id is None else (str(request.stage), request.call_id)
            if remembered is not None and call is not None and taken:
                _bounded(remembered, call, taken)
            self._await_usage(scope, request, wanted, again=bool(held))
            if not taken:
                return _NO_HOLD
            return Hold(scope, call, request.model, taken, bool(held), alerts)

    def release(self, hold: Hold) -> None:
        """Give back what a request holds that will not run after all.

        What an earlier request of the same call id holds too stays counted: that one may run.
        """
        if hold.again:
            return
        with self._lock:
            owed = self._owed(hold)
            for key, held in hold.taken.items():
                counter = self._counters.get(key)
                if counter is not None and held is not None:
                    counter.remove(held)
                elif counter is not None and key in owed:
                    # Usage that was reported meanwhile stays counted.
                    counter.unsettled -= 1
            remembered = self._sessions.get(hold.scope)
            if remembered is not None and hold.call is not None:
                _drop_pending(remembered, hold.call)

    def used(self, limit: str, key: tuple[str, ...], now: datetime) -> float:
        """Return what a counter holds."""
        with self._lock:
            return self._used((limit, key), microseconds(now))

    # Halts

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
        scope = _scope(request)
        with self._lock:
            remembered = self._touch(scope, now, microseconds(now))
            if remembered is None or not decision.permitted:
                return
            if not remembered.labels.issuperset(decision.labels):
                remembered.labels = remembered.labels.union(decision.labels)
            if request.stage == "tool_call" and request.tool is not None:
                calls = {} if remembered.calls is None else remembered.calls
                remembered.calls = calls
                calls[intern(request.tool)] = calls.get(request.tool, 0) + 1
            if request.call_id is not None:
                _drop_pending(remembered, (request.stage, request.call_id))
                if request.stage == "tool_call":
                    self._note_ran(scope, remembered, request.call_id)

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
        scope = _scope(request)
        time = microseconds(now)
        with self._lock:
            waiting = self._unreported.get(scope, deque())
            for found in waiting:
                if found.model == request.model and request.call_id in (None, found.call_id):
                    break
            else:
                return Usage(was_awaited=False, alerts=self._add(unasked, tokens, cost_usd, time))
            alerts = self._settle(found, tokens, cost_usd, time)
            remembered = self._sessions.get(scope)
            if found.call_id is not None and remembered is not None:
                _drop_pending(remembered, ("model_request", found.call_id))
            if not found.reservations:
                waiting.remove(found)
            if not waiting:
                del self._unreported[scope]
            return Usage(was_awaited=True, alerts=alerts)

    # Sessions

    def _look(self, scope: _Scope, time: int) -> tuple[_Remembered | None, bool]:
        """Return a session, and whether what it is can be told."""
        remembered = self._sessions.get(scope)
        if remembered is None:
            return None, scope not in self._forgotten
        return (None, False) if self._is_over(remembered, time) else (remembered, True)

    def _is_over(self, remembered: _Remembered, time: int) -> bool:
        return self._idle is not None and time - remembered.last > self._idle

    def _touch(self, scope: _Scope, now: datetime, time: int) -> _Remembered | None:
        """Return a session as the one that was used last; None where it was dropped."""
        remembered = self._sessions.get(scope)
        if remembered is None:
            if scope in self._forgotten:
                return None
            remembered = self._sessions[scope] = _Remembered(now, time)
            if len(self._sessions) > self._max_sessions:
                self._forgotten.add(self._sessions.popitem(last=False)[0])
            return remembered
        if self._is_over(remembered, time):
            del self._sessions[scope]
            self._forgotten.add(scope)
            return None
        remembered.last = max(remembered.last, time)
        self._sessions.move_to_end(scope)
        return remembered

    # Call ids

    def _ran(self, scope: _Scope, remembered: _Remembered | None, request: Request) -> bool | None:
        if request.call_id is None or request.stage != "tool_call" or remembered is None:
            return False
        if remembered.ran is not None and request.call_id in remembered.ran:
            return True
        return None if (*scope, request.call_id) in self._forgotten else False

    def _note_ran(self, scope: _Scope, remembered: _Remembered, call_id: str) -> None:
        ran = {} if remembered.ran is None else remembered.ran
        remembered.ran = ran
        ran[call_id] = None
        if len(ran) > _MAX_CALL_IDS:
            oldest = next(iter(ran))
            del ran[oldest]
            self._forgotten.add((*scope, oldest))

    # Counters

    def _is_unsettled(
        self, scope: _Scope, key: _Key, counter: Counter, held: Mapping[_Key, Held | None]
    ) -> bool:
        """Whether usage is owed: by this session, or by too many others at once.

        Sessions that share a counter may each have one request under way.
        """
        mine = key in held and held[key] is None
        owed = sum(key in found.reservations for found in self._unreported.get(scope, ()))
        return owed > mine or counter.unsettled > _MAX_UNSETTLED

    def _counts(
        self,
        scope: _Scope,
        needs: Iterable[CounterNeed],
        held: Mapping[_Key, Held | None],
        time: int,
    ) -> Mapping[_Key, Count]:
        counts: dict[_Key, Count] = {}
        for need in needs:
            key = (need.limit, need.key)
            counter = self._counters.get(key)
            if counter is not None:
                used = counter.used(time, without=held.get(key))
                counts[key] = Count(used, unsettled=self._is_unsettled(scope, key, counter, held))
            elif key not in self._forgotten:
                counts[key] = Count(0.0)
        return counts

    def _fits(
        self, scope: _Scope, item: Reservation, held: Mapping[_Key, Held | None], time: int
    ) -> bool:
        key = (item.limit, item.key)
        counter = self._counters.get(key)
        if counter is None:
            return key not in self._forgotten and 0 <= (item.amount or 0) <= item.max
        if item.amount is None:
            unsettled = self._is_unsettled(scope, key, counter, held)
            return not unsettled and counter.used(time) < item.max
        return item.amount >= 0 and counter.fits(time, item.amount, item.max, without=held.get(key))

    def _take(
        self,
        scope: _Scope,
        wanted: Iterable[Reservation],
        held: Mapping[_Key, Held | None],
        time: int,
    ) -> dict[_Key, Held | None]:
        for key, before in held.items():
            counter = self._counters.get(key)
            if counter is None:
                continue
            if before is None:
                counter.unsettled -= 1
            else:
                counter.remove(before)
        taken: dict[_Key, Held | None] = {}
        for item in wanted:
            if not item.enforced and not self._fits(scope, item, {}, time):
                continue
            counter = self._counter(item, time)
            key = (item.limit, item.key)
            if item.amount is None:
                counter.unsettled += 1
                taken[key] = None
            else:
                taken[key] = counter.add(time, item.amount)
        return taken

    def _counter(self, item: Reservation, time: int) -> Counter:
        key = (item.limit, item.key)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = Counter(item.per, item.timezone)
            if len(self._counters) > self._max_counters:
                oldest, dropped = self._counters.popitem(last=False)
                if not dropped.is_empty(time):
                    self._forgotten.add(oldest)
        else:
            self._counters.move_to_end(key)
        return counter

    # Usage

    def _owed(self, hold: Hold) -> Mapping[_Key, Reservation]:
        """Forget and return the usage that a request owes which will not run."""
        waiting = self._unreported.get(hold.scope, deque())
        for found in waiting:
            if found.model == hold.model and set(found.reservations) <= set(hold.taken):
                waiting.remove(found)
                if not waiting:
                    del self._unreported[hold.scope]
                return found.reservations
        return {}

    def _await_usage(
        self, scope: _Scope, request: Request, wanted: Iterable[Reservation], *, again: bool
    ) -> None:
        open_ones = {(item.limit, item.key): item for item in wanted if item.amount is None}
        if not open_ones:
            return
        waiting = self._unreported.setdefault(scope, deque())
        if again:
            for before in [item for item in waiting if item.call_id == request.call_id]:
                waiting.remove(before)
        waiting.append(_Unreported(request.model, request.call_id, open_ones))
        self._unreported.move_to_end(scope)
        if len(self._unreported) > self._max_sessions:
            # Their counters stay unsettled, which denies.
            self._unreported.popitem(last=False)

    def _settle(
        self, found: _Unreported, tokens: int, cost_usd: float | None, time: int
    ) -> tuple[Alert, ...]:
        before = self._alerting(found.reservations.values(), time)
        for key, item in list(found.reservations.items()):
            amount = _amount(item, tokens, cost_usd)
            if amount is None:
                continue
            del found.reservations[key]
            counter = self._counters.get(key)
            if counter is not None and counter.unsettled:
                counter.unsettled -= 1
                counter.add(time, amount)
        return self._alerts(before, time)

    def _add(
        self, items: Iterable[Reservation], tokens: int, cost_usd: float | None, time: int
    ) -> tuple[Alert, ...]:
        """Count usage that nothing was reserved for."""
        wanted = tuple(items)
        before = self._alerting(wanted, time)
        for item in wanted:
            amount = _amount(item, tokens, cost_usd)
            if amount is not None:
                self._counter(item, time).add(time, amount)
        return self._alerts(before, time)

    def _alerting(self, items: Iterable[Reservation], time: int) -> list[tuple[Reservation, float]]:
        """Return the limits that can alert, and what is used of them."""
        return [
            (item, self._used((item.limit, item.key), time))
            for item in items
            if item.alert_at is not None
        ]

    def _alerts(self, before: list[tuple[Reservation, float]], time: int) -> tuple[Alert, ...]:
        """Return what has reached the share that alerts since then."""
        if not before:
            return ()
        after = [(item, was, self._used((item.limit, item.key), time)) for item, was in before]
        return tuple(
            Alert(item.limit, item.key, used, item.max)
            for item, was, used in after
            if passed(item, was, used)
        )

    def _used(self, key: _Key, time: int) -> float:
        counter = self._counters.get(key)
        return 0.0 if counter is None else counter.used(time)


def _amount(item: Reservation, tokens: int, cost_usd: float | None) -> float | None:
    return {"tokens": tokens, "cost_usd": cost_usd}.get(item.unit)


def _scope(request: Request) -> _Scope:
    principal = request.principal if isinstance(request.principal, Mapping) else {}
    return _name(principal.get("tenant")), _name(principal.get("id")), request.session


def _name(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _session(request: Request, remembered: _Remembered | None, now: datetime) -> Session | None:
    if request.session is None:
        return None
    if remembered is None:
        return Session(started=now)
    return Session(remembered.labels, Calls(remembered.calls or {}), remembered.started)


def _held(remembered: _Remembered | None, request: Request) -> Mapping[_Key, Held | None]:
    if remembered is None or remembered.pending is None or request.call_id is None:
        return {}
    return remembered.pending.get((request.stage, request.call_id), {})


def _bounded(remembered: _Remembered, call: _Call, taken: dict[_Key, Held | None]) -> None:
    pending = {} if remembered.pending is None else remembered.pending
    remembered.pending = pending
    pending[call] = taken
    if len(pending) > _MAX_CALL_IDS:
        # What it holds stays counted; asked again, it counts twice.
        del pending[next(iter(pending))]


def _drop_pending(remembered: _Remembered, call: _Call) -> None:
    if remembered.pending is not None:
        remembered.pending.pop(call, None)
        if not remembered.pending:
            remembered.pending = None


def _unless_told(request: Request) -> bool | None:
    """Whether a call of a dropped session ran: it can be told only of calls without an id."""
    return False if request.call_id is None else None
