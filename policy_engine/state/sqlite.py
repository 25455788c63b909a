"""State in a file: what all processes of one machine remember between requests, and after them."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from sqlite3 import Connection
from threading import Lock
from typing import Any, Final

from policy_engine.database import Database, Durability, Schema
from policy_engine.decision import NO_FACTS, Decision, Facts, Halt, Needs, Request, Reservation
from policy_engine.state import counter_rows, debt_rows, rows, session_rows
from policy_engine.state.counter import microseconds
from policy_engine.state.counters import Counters
from policy_engine.state.hold import Hold, Usage, scope_of
from policy_engine.state.memory import MemoryState
from policy_engine.state.sessions import Sessions
from policy_engine.state.usage import UsageLedger

__all__ = ["SqliteState"]

_HALTS: Final = (
    "CREATE TABLE halts (place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL)",
)
_SCHEMA: Final = Schema(
    "state",
    int.from_bytes(b"PEST", "big"),
    1,
    (*rows.TABLES, *session_rows.TABLES, *counter_rows.TABLES, *debt_rows.TABLES, *_HALTS),
)


class SqliteState:
    """State in a SQLite file, for as many processes of one machine as like.

    Nothing that a method has returned from is lost where a process is killed. Limits hold over
    all processes together, and a halt stops all of them at once.

    Methods do their work when they are called, from an event loop too, which takes some ten
    microseconds to a millisecond, or a wait for the disk with `durability="full"`. The file is
    made with mode 0600. Processes that share it should give the same bounds.

    What had to be dropped for room is remembered as dropped: it cannot be told, it is not empty.
    Time is given by the caller; where it runs backwards, no limit loosens.

    Args:
        path: The file; made where there is none. Its folder must exist, on a local disk.
        durability: `normal`: what was written survives the end of a process at any instant.
            `full`: it survives a power cut too.
        timeout: For how many seconds to wait for another process that writes.
        max_sessions: How many sessions are kept; the longest unused go first.
        max_counters: How many counters are kept, likewise.
        max_dropped: How many names of dropped sessions, counters and call ids are remembered;
            beyond, nothing that would drop another is permitted.
        idle: After how many seconds without a request a session is dropped; None for never.

    Raises:
        StoreError: The file cannot be used, or holds something else; any method may raise it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Durability = "normal",
        timeout: float = 5.0,
        max_sessions: int = 1_000_000,
        max_counters: int = 2_000_000,
        max_dropped: int = 20_000_000,
        idle: float | None = None,
    ) -> None:
        self._database = Database(path, _SCHEMA, durability=durability, timeout=timeout)
        sheet = rows.Sheet(self._database.path, max_dropped)
        self._work = _Work(sheet, max_sessions, max_counters, idle)

    def close(self) -> None:
        """Close the file; what is called after this opens it anew."""
        self._database.close()

    def facts(
        self,
        request: Request,
        needs: Needs,
        now: datetime,
        answers: Mapping[str, Any] | None = None,
    ) -> Facts:
        """Return what a decision will read, as the file has it at one instant."""
        if not (needs.session or needs.counters) and request.call_id is None:
            halts = self.halts()
            if not (needs.now or halts or answers):
                return NO_FACTS
            return Facts(now=now, halts=halts, answers={} if answers is None else answers)
        with self._database.reading as connection:
            self._work.begin(connection, microseconds(now), request)
            found = self._work.facts(request, needs, now, answers)
            is_worn = self._work.is_worn()
        if is_worn:  # no clock brings back a day that is over
            with self._writing(microseconds(now), request) as work:
                found = work.facts(request, needs, now, answers)
        return found

    def commit(self, decision: Decision, now: datetime) -> Hold | None:
        """Count a permitted request towards its limits: all of them or none, over all processes.

        Returns:
            What it holds; None where a limit was used up meanwhile: decide again.
        """
        with self._writing(microseconds(now), decision.asked) as work:
            return work.commit(decision, now)

    def release(self, hold: Hold) -> None:
        """Give back what a request holds that will not run after all."""
        if not (hold.taken or hold.call):
            return
        with self._writing(None) as work:
            work.take_back(hold)

    def returned(self, decision: Decision, now: datetime) -> None:
        """Note that a permitted call has handed back its result or its error."""
        with self._writing(microseconds(now)) as work:
            work.returned(decision, now)

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
        """Settle what a permitted model request counts towards token and cost limits."""
        with self._writing(microseconds(now)) as work:
            return work.record_usage(
                request,
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                cost_usd=cost_usd,
                now=now,
                unasked=unasked,
            )

    def used(self, limit: str, key: tuple[str, ...], now: datetime) -> float:
        """Return what a counter holds."""
        with self._database.reading as connection:
            self._work.begin(connection, microseconds(now))
            return self._work.used(limit, key, now)

    def halt(self, halt: Halt) -> None:
        """Stop a tool, an agent, a session or everything, in all processes from now on."""
        with self._writing(None) as work:
            work.halt(halt)

    def resume(self, halt_id: str) -> bool:
        """End a halt; whether there was one."""
        with self._writing(None) as work:
            return work.resume(halt_id)

    def halts(self) -> tuple[Halt, ...]:
        """Return the halts that stand, whichever process they are of."""
        with self._database.reading as connection:
            return _halts(connection)

    @contextmanager
    def _writing(self, time: int | None, request: Request | None = None) -> Iterator["_Work"]:
        with self._database.writing as connection:
            self._work.begin(connection, time, request)
            yield self._work
            self._work.save()


class _Work(MemoryState):
    """What state does in memory, over what one transaction at a time loads and saves.

    Args:
        sheet: What the tables share.
        max_sessions: How many sessions are kept.
        max_counters: How many counters are kept.
        idle: After how many seconds without a request a session is dropped.
    """

    def __init__(
        self, sheet: rows.Sheet, max_sessions: int, max_counters: int, idle: float | None
    ) -> None:
        self._sheet = sheet
        self._session_rows = session_rows.SessionRows(sheet)
        self._counter_rows = counter_rows.CounterRows(sheet)
        self._debt_rows = debt_rows.DebtRows(sheet)
        dropped = rows.Dropped(sheet)
        self._sessions = Sessions(max_sessions, idle, dropped, self._session_rows)
        self._counters = Counters(max_counters, dropped, self._counter_rows)
        self._usage = UsageLedger(max_sessions, self._counters, self._debt_rows)
        self._halts = ()
        self._lock = Lock()

    def begin(
        self, connection: Connection, time: int | None, request: Request | None = None
    ) -> None:
        """Begin with what the file holds.

        Args:
            connection: Inside a transaction.
            time: Now, where amounts may be over by now.
            request: What may have been asked before: what it holds is loaded.
        """
        self._sheet.begin(connection, time)
        self._halts = _halts(connection) if self._sheet.counts.halts else ()
        for kept in (self._session_rows, self._counter_rows, self._debt_rows):
            kept.begin()
        if request is not None and request.call_id is not None:
            remembered = self._sessions.get(scope_of(request))
            self._counter_rows.held = {} if remembered is None else remembered.held(request)

    def take_back(self, hold: Hold) -> None:
        """Release a hold, whose amounts are loaded."""
        remembered = self._sessions.get(hold.scope)
        pending = None if remembered is None else remembered.pending
        found = None if pending is None or hold.call is None else pending.get(hold.call)
        self._counter_rows.held = hold.taken if found is None else found.taken
        self.release(hold)

    def is_worn(self) -> bool:
        """Whether reading found so much that is over that it is worth writing down."""
        return self._counter_rows.is_worn()

    def halt(self, halt: Halt) -> None:
        """Stop a tool, an agent, a session or everything."""
        super().halt(halt)
        self._keep_halts()

    def resume(self, halt_id: str) -> bool:
        """End a halt; whether there was one."""
        found = super().resume(halt_id)
        self._keep_halts()
        return found

    def save(self) -> None:
        """Write down what has changed."""
        for kept in (self._session_rows, self._counter_rows, self._debt_rows):
            kept.save()
        self._sheet.save()

    def _keep_halts(self) -> None:
        execute = self._sheet.execute
        execute("DELETE FROM halts")
        for halt in self._halts:
            until = None if halt.until is None else halt.until.isoformat()
            body = json.dumps([halt.id, halt.scope, halt.name, halt.reason, until])
            execute("INSERT INTO halts (id, body) VALUES (?, ?)", (halt.id, body))
        self._sheet.counts.halts = len(self._halts)


def _halts(connection: Connection) -> tuple[Halt, ...]:
    found = []
    for (body,) in connection.execute("SELECT body FROM halts ORDER BY place"):
        name, scope, of, reason, until = json.loads(body)
        end = None if until is None else datetime.fromisoformat(until)
        found.append(Halt(name, scope, of, reason, end))
    return tuple(found)
