"""Sessions and their call ids: bounded, and what was dropped is remembered as dropped."""

from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from sys import intern
from typing import Final

from policy_engine.decision import Calls, Decision, Request, Session
from policy_engine.state.counter import Held
from policy_engine.state.forgotten import Forgotten
from policy_engine.state.hold import Call, Key, Pending, Scope, call_of
from policy_engine.state.ordered import Ordered

__all__ = ["MAX_CALL_IDS", "Remembered", "Sessions"]

MAX_CALL_IDS: Final = 10_000
_NO_LABELS: Final[frozenset[str]] = frozenset()


@dataclass(slots=True)
class Remembered:
    """What is known of one session."""

    started: datetime
    last: datetime
    """When it was used last, where that says when it is dropped."""
    labels: frozenset[str] = _NO_LABELS
    calls: dict[str, int] | None = None
    pending: MutableMapping[Call, Pending] | None = None
    """What calls that have not run hold in counters; None for usage that is not reported."""
    ran: MutableMapping[str, None] | None = None
    """Call ids of calls that ran, oldest first."""

    def held(self, request: Request) -> Mapping[Key, Held | None]:
        """Return what the same request holds that was asked earlier under the same call id."""
        call = None if self.pending is None else call_of(request)
        found = None if self.pending is None or call is None else self.pending.get(call)
        return {} if found is None else found.taken

    def hold(self, call: Call, taken: dict[Key, Held | None]) -> None:
        """Note what a call holds until it has run."""
        pending = {} if self.pending is None else self.pending
        self.pending = pending
        before = pending.get(call)
        pending[call] = Pending(taken, 1 if before is None else before.times + 1)
        if len(pending) > MAX_CALL_IDS:
            # What it holds stays counted; asked again, it counts twice.
            del pending[next(iter(pending))]

    def give_back(self, call: Call) -> Mapping[Key, Held | None] | None:
        """Return what a call gives back that one request will not run; None while another may.

        Also None where the call ran, or it is not known any more what it holds.
        """
        found = None if self.pending is None else self.pending.get(call)
        if self.pending is None or found is None:
            return None
        if found.times > 1:
            self.pending[call] = found._replace(times=found.times - 1)
            return None
        self.drop(call)
        return found.taken

    def drop(self, call: Call) -> None:
        """Forget what a call holds."""
        if self.pending is not None:
            self.pending.pop(call, None)
            if not self.pending:
                self.pending = None

    def session(self) -> Session:
        """Return the session as a decision sees it."""
        return Session(self.labels, Calls(self.calls or {}), self.started)


class Sessions:
    """Sessions by tenant, principal and id; whoever calls holds the lock.

    Args:
        most: How many are kept; the longest unused go first.
        idle: After how many seconds without a request one is dropped; None for never.
        forgotten: Where what is dropped is remembered.
        kept: Where they are kept; in memory unless told.
    """

    def __init__(
        self,
        most: int,
        idle: float | None,
        forgotten: Forgotten,
        kept: Ordered[Scope, Remembered] | None = None,
    ) -> None:
        self._most = most
        self._idle = None if idle is None else timedelta(seconds=idle)
        self._sessions: Ordered[Scope, Remembered] = OrderedDict() if kept is None else kept
        self._forgotten = forgotten

    def get(self, scope: Scope) -> Remembered | None:
        """Return a session that is known."""
        return self._sessions.get(scope)

    def look(self, scope: Scope, now: datetime) -> tuple[Remembered | None, bool]:
        """Return a session, and whether what it is can be told."""
        remembered = self._sessions.get(scope)
        if remembered is None:
            return None, scope not in self._forgotten
        return (None, False) if self._is_over(remembered, now) else (remembered, True)

    def _is_over(self, remembered: Remembered, now: datetime) -> bool:
        return self._idle is not None and now - remembered.last > self._idle

    def stays(self, scope: Scope) -> bool:
        """Whether a session is known, and not dropped for being idle; needs no lock."""
        return self._idle is None and self._sessions.get(scope) is not None

    def touch(self, scope: Scope, now: datetime) -> Remembered | None:
        """Return a session as the one that was used last; None where it was dropped."""
        remembered = self._sessions.get(scope)
        if remembered is None:
            return self._begin(scope, now)
        if self._idle is not None:
            if self._is_over(remembered, now):
                del self._sessions[scope]
                self._forgotten.add(scope)
                return None
            remembered.last = max(remembered.last, now)
        self._sessions.move_to_end(scope)
        return remembered

    def _begin(self, scope: Scope, now: datetime) -> Remembered | None:
        if scope in self._forgotten:
            return None
        remembered = self._sessions[scope] = Remembered(now, now)
        if len(self._sessions) > self._most:
            self._forgotten.add(self._sessions.popitem(last=False)[0])
        return remembered

    def ran(self, scope: Scope, remembered: Remembered | None, request: Request) -> bool | None:
        """Whether a call with the request's call id ran; None where it cannot be told."""
        if request.call_id is None or request.stage != "tool_call" or remembered is None:
            return False
        if remembered.ran is not None and request.call_id in remembered.ran:
            return True
        return None if (*scope, request.call_id) in self._forgotten else False

    def _note_ran(self, scope: Scope, remembered: Remembered, call_id: str) -> None:
        ran = {} if remembered.ran is None else remembered.ran
        remembered.ran = ran
        ran[call_id] = None
        if len(ran) > MAX_CALL_IDS:
            oldest = next(iter(ran))
            del ran[oldest]
            self._forgotten.add((*scope, oldest))

    def note(self, scope: Scope, remembered: Remembered, decision: Decision) -> None:
        """Note that a permitted call has handed back its result or its error."""
        request = decision.asked
        if not remembered.labels.issuperset(decision.labels):
            remembered.labels = remembered.labels.union(decision.labels)
        if request.stage == "tool_call" and request.tool is not None:
            calls = {} if remembered.calls is None else remembered.calls
            remembered.calls = calls
            calls[intern(request.tool)] = calls.get(request.tool, 0) + 1
        if request.call_id is None:
            return
        call = None if remembered.pending is None else call_of(request)
        if call is not None:
            remembered.drop(call)
        if request.stage == "tool_call":
            self._note_ran(scope, remembered, request.call_id)
