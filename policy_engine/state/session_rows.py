"""Sessions in SQLite, with the call ids that ran and those that may run yet."""

import json
from collections.abc import Iterator, MutableMapping
from datetime import datetime, timedelta
from typing import Any, Final

from policy_engine.state.amounts import amount_of, written
from policy_engine.state.counter import EPOCH, Held, microseconds
from policy_engine.state.hold import Call, Key, Pending, Scope
from policy_engine.state.rows import Rows, Sheet, text_of
from policy_engine.state.sessions import Remembered

__all__ = ["TABLES", "SessionRows"]

TABLES: Final = (
    """CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        turn INTEGER NOT NULL,
        started INTEGER NOT NULL,
        last INTEGER NOT NULL,
        labels TEXT NOT NULL,
        calls TEXT NOT NULL
    )""",
    "CREATE INDEX sessions_turn ON sessions (turn)",
    """CREATE TABLE pending (
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        call TEXT NOT NULL,
        taken TEXT NOT NULL,
        times INTEGER NOT NULL,
        PRIMARY KEY (session, number)
    ) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX pending_call ON pending (session, call)",
    """CREATE TABLE ran (
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        call TEXT NOT NULL,
        PRIMARY KEY (session, number)
    ) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX ran_call ON ran (session, call)",
)

_NO_LABELS: Final[frozenset[str]] = frozenset()
_Row = tuple[int, int, int, int, str, str]
_Taken = dict[Key, Held | None]


class SessionRows(Rows[Scope, Remembered]):
    """Sessions by tenant, principal and id."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet, "sessions", "session_turn")
        self._rows: dict[Scope, _Row] = {}

    def begin(self) -> None:
        """Forget what an earlier transaction saw."""
        super().begin()
        self._rows.clear()

    def _key(self, name: str) -> Scope:
        tenant, principal, session = json.loads(name)
        return tenant, principal, session

    def _load(self, key: Scope) -> Remembered | None:
        row = self._sheet.execute(
            "SELECT id, turn, started, last, labels, calls FROM sessions WHERE name=?",
            (text_of(key),),
        ).fetchone()
        if row is None:
            return None
        self._rows[key] = row
        session, _, started, last, labels, calls = row
        return Remembered(
            _time(started),
            _time(last),
            _NO_LABELS if labels == "[]" else frozenset(json.loads(labels)),
            None if calls == "{}" else json.loads(calls),
            _Pending(self._sheet, session),
            _Ran(self._sheet, session),
        )

    def _turn_of(self, key: Scope) -> int:
        return self._rows[key][1]

    def _move(self, key: Scope, turn: int) -> None:
        session, _, *rest = self._rows[key]
        self._rows[key] = (session, turn, *rest)  # type: ignore[assignment]
        self._sheet.execute("UPDATE sessions SET turn=? WHERE id=?", (turn, session))

    def _insert(self, key: Scope, value: Remembered, turn: int) -> None:
        values = (text_of(key), turn, microseconds(value.started), *_changing(value))
        made = self._sheet.execute(
            "INSERT INTO sessions (name, turn, started, last, labels, calls)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            values,
        )
        session = made.lastrowid
        assert session is not None  # noqa: S101 - what was inserted has an id
        self._keep_calls(session, value)

    def _update(self, key: Scope, value: Remembered) -> None:
        row = self._rows[key]
        after = _changing(value)
        if after != row[3:]:
            self._sheet.execute(
                "UPDATE sessions SET last=?, labels=?, calls=? WHERE id=?", (*after, row[0])
            )
        self._keep_calls(row[0], value)

    def _keep_calls(self, session: int, value: Remembered) -> None:
        """Write call ids down that were noted where no table was at hand."""
        if value.pending is not None and not isinstance(value.pending, _Pending):
            _Pending(self._sheet, session).update(value.pending)
        if value.ran is not None and not isinstance(value.ran, _Ran):
            _Ran(self._sheet, session).update(value.ran)

    def _delete(self, key: Scope) -> None:
        session = (self._rows.pop(key)[0],)
        self._sheet.execute("DELETE FROM pending WHERE session=?", session)
        self._sheet.execute("DELETE FROM ran WHERE session=?", session)
        self._sheet.execute("DELETE FROM sessions WHERE id=?", session)


class _Pending(MutableMapping[Call, Pending]):
    """What the calls of a session hold that have not run, oldest first."""

    def __init__(self, sheet: Sheet, session: int) -> None:
        self._execute = sheet.execute
        self._session = session

    def __getitem__(self, call: Call) -> Pending:
        found = self._execute(
            "SELECT taken, times FROM pending WHERE session=? AND call=?",
            (self._session, text_of(call)),
        ).fetchone()
        if found is None:
            raise KeyError(call)
        taken: _Taken = {
            (limit, tuple(key)): None if held is None else (held[0], amount_of(held[1]))
            for limit, key, held in json.loads(found[0])
        }
        return Pending(taken, found[1])

    def __setitem__(self, call: Call, pending: Pending) -> None:
        items = [
            (limit, key, None if held is None else (held[0], written(held[1])))
            for (limit, key), held in pending.taken.items()
        ]
        self._execute(
            "INSERT INTO pending VALUES (?,"
            " (SELECT coalesce(max(number), 0) + 1 FROM pending WHERE session=?), ?, ?, ?)"
            " ON CONFLICT (session, call) DO UPDATE SET taken=excluded.taken, times=excluded.times",
            (self._session, self._session, text_of(call), json.dumps(items), pending.times),
        )

    def __delitem__(self, call: Call) -> None:
        self._execute(
            "DELETE FROM pending WHERE session=? AND call=?", (self._session, text_of(call))
        )

    def __iter__(self) -> Iterator[Call]:
        found = self._execute(
            "SELECT call FROM pending WHERE session=? ORDER BY number", (self._session,)
        )
        for (call,) in found:
            stage, name, which = json.loads(call)
            yield stage, name, which

    def __len__(self) -> int:
        found = self._execute("SELECT count(*) FROM pending WHERE session=?", (self._session,))
        count: int = found.fetchone()[0]
        return count


class _Ran(MutableMapping[str, None]):
    """The call ids of the calls of a session that ran, oldest first."""

    def __init__(self, sheet: Sheet, session: int) -> None:
        self._execute = sheet.execute
        self._session = session

    def __getitem__(self, call_id: str) -> None:
        found = self._execute(
            "SELECT 1 FROM ran WHERE session=? AND call=?", (self._session, text_of((call_id,)))
        )
        if found.fetchone() is None:
            raise KeyError(call_id)

    def __setitem__(self, call_id: str, value: None) -> None:
        self._execute(
            "INSERT INTO ran VALUES (?,"
            " (SELECT coalesce(max(number), 0) + 1 FROM ran WHERE session=?), ?)"
            " ON CONFLICT (session, call) DO NOTHING",
            (self._session, self._session, text_of((call_id,))),
        )

    def __delitem__(self, call_id: str) -> None:
        self._execute(
            "DELETE FROM ran WHERE session=? AND call=?", (self._session, text_of((call_id,)))
        )

    def __iter__(self) -> Iterator[str]:
        found = self._execute(
            "SELECT call FROM ran WHERE session=? ORDER BY number", (self._session,)
        )
        for (call,) in found:
            yield json.loads(call)[0]

    def __len__(self) -> int:
        # Only the oldest are ever dropped, so that no number is missing between these.
        found = self._execute(
            "SELECT coalesce((SELECT max(number) FROM ran WHERE session=?)"
            " - (SELECT min(number) FROM ran WHERE session=?) + 1, 0)",
            (self._session, self._session),
        )
        count: int = found.fetchone()[0]
        return count


def _changing(value: Remembered) -> tuple[int, str, str]:
    labels: Any = sorted(value.labels)
    return (
        microseconds(value.last),
        json.dumps(labels) if labels else "[]",
        json.dumps(value.calls) if value.calls else "{}",
    )


def _time(since: int) -> datetime:
    return EPOCH + timedelta(microseconds=since)
