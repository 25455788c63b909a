"""Where approvals stand in SQLite: a shelf inside one transaction."""

import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any, Final

from policy_engine.approvals.approval import Approval, Grant
from policy_engine.approvals.shelf import Bounds, Room, Scope, Shelf, scope_of
from policy_engine.database import Schema
from policy_engine.errors import StoreError

__all__ = ["SqliteShelf", "schema"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES: Final = ("requested_at", "expires_at", "rejected_at", "used_at")
_TABLES: Final = (
    # The newest of a request and a rule has the highest number.
    """CREATE TABLE approvals (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        fingerprint TEXT NOT NULL,
        rule TEXT NOT NULL,
        scope TEXT NOT NULL,
        is_open INTEGER NOT NULL,
        place INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        size INTEGER NOT NULL,
        body TEXT NOT NULL
    )""",
    "CREATE INDEX approvals_request ON approvals (fingerprint, rule, number)",
    "CREATE INDEX approvals_place ON approvals (is_open, place)",
    "CREATE INDEX approvals_due ON approvals (expires, id) WHERE is_open",
    "CREATE INDEX approvals_scope ON approvals (scope) WHERE is_open",
    # `place` is the last that was given: in which order they were opened, or were over.
    "CREATE TABLE room (open INTEGER, closed INTEGER, bytes INTEGER, place INTEGER)",
    "INSERT INTO room VALUES (0, 0, 0, 0)",
    "CREATE TABLE secret (key BLOB NOT NULL)",
)


_MARK: Final = int.from_bytes(b"PEAP", "big")
_VERSION: Final = 1


def schema() -> Schema:
    """Return what a new file holds, with a secret key of its own."""
    key = f"INSERT INTO secret VALUES (x'{secrets.token_hex(32)}')"  # noqa: S608 - it is hexadecimal
    return Schema("approvals", _MARK, _VERSION, (*_TABLES, key))


class SqliteShelf(Shelf):
    """A shelf as one transaction sees it; `save` before it is committed.

    Args:
        connection: Inside a transaction.
        bounds: How much may stand here.
    """

    def __init__(self, connection: Connection, bounds: Bounds) -> None:
        super().__init__(bounds)
        self._execute = connection.execute
        self._taken: Room | None = None
        self._place = 0

    def save(self) -> None:
        """Write down how much room is taken."""
        room = self._taken
        if room is not None:
            values = (room.open, room.closed, room.bytes, self._place)
            self._execute("UPDATE room SET open=?, closed=?, bytes=?, place=?", values)

    def get(self, wanted: str) -> Approval | None:
        """Return the approval of this id."""
        if _is_broken(wanted):
            return None
        found = self._execute("SELECT body FROM approvals WHERE id=?", (wanted,)).fetchone()
        return None if found is None else _read(found[0])

    def latest(self, fingerprint: str, rule: str) -> Approval | None:
        """Return the newest approval of a request and a rule."""
        found = self._execute(
            "SELECT body FROM approvals WHERE fingerprint=? AND rule=?"
            " ORDER BY number DESC LIMIT 1",
            (fingerprint, rule),
        ).fetchone()
        return None if found is None else _read(found[0])

    def living(self) -> Iterable[Approval]:
        """Iterate over those that are open, in the order in which they were opened."""
        found = self._execute("SELECT body FROM approvals WHERE is_open=1 ORDER BY place")
        return (_read(body) for (body,) in found)

    def replace(self, approval: Approval) -> None:
        """Put an approval in the place of what it was before."""
        self._execute(
            "UPDATE approvals SET expires=?, body=? WHERE id=?",
            (_microseconds(approval.expires_at), _written(approval), approval.id),
        )

    def due(self, now: datetime) -> list[Approval]:
        """Return those that are open and have expired, in the order in which they did."""
        found = self._execute(
            "SELECT body FROM approvals WHERE is_open AND expires<=? ORDER BY expires, id",
            (_microseconds(now),),
        )
        return [_read(body) for (body,) in found]

    def is_due(self, now: datetime) -> bool:
        """Tell whether `sweep` would close any."""
        found = self._execute(
            "SELECT 1 FROM approvals WHERE is_open AND expires<=? LIMIT 1", (_microseconds(now),)
        )
        return found.fetchone() is not None

    def reopen(self, approval: Approval) -> None:
        """Put an approval there that is not over after all."""
        room = self._room()
        room.closed -= 1
        room.open += 1
        self._move(approval, is_open=1)

    def _room(self) -> Room:
        if self._taken is None:
            found = self._execute("SELECT open, closed, bytes, place FROM room").fetchone()
            self._taken = Room(*found[:3])
            self._place = found[3]
        return self._taken

    def _open_in(self, scope: Scope) -> int:
        found = self._execute(
            "SELECT count(*) FROM approvals WHERE is_open AND scope=?", (json.dumps(scope),)
        )
        count: int = found.fetchone()[0]
        return count

    def _is_open(self, wanted: str) -> bool:
        found = self._execute("SELECT is_open FROM approvals WHERE id=?", (wanted,)).fetchone()
        return found is not None and bool(found[0])

    def _add(self, approval: Approval, size: int) -> None:
        room = self._room()
        room.open += 1
        room.bytes += size
        self._place += 1
        self._execute(
            "INSERT INTO approvals"
            " (id, fingerprint, rule, scope, is_open, place, expires, size, body)"
            " VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?)",
            (
                approval.id,
                approval.fingerprint,
                approval.rule,
                json.dumps(scope_of(approval)),
                self._place,
                _microseconds(approval.expires_at),
                size,
                _written(approval),
            ),
        )

    def _close(self, approval: Approval) -> None:
        room = self._room()
        room.open -= 1
        room.closed += 1
        self._move(approval, is_open=0)

    def _move(self, approval: Approval, *, is_open: int) -> None:
        self._place += 1
        self._execute(
            "UPDATE approvals SET is_open=?, place=?, body=? WHERE id=?",
            (is_open, self._place, _written(approval), approval.id),
        )

    def _forget(self) -> None:
        room = self._room()
        number, size = self._execute(
            "SELECT number, size FROM approvals WHERE is_open=0 ORDER BY place LIMIT 1"
        ).fetchone()
        self._execute("DELETE FROM approvals WHERE number=?", (number,))
        room.closed -= 1
        room.bytes -= size


def _microseconds(time: datetime) -> int:
    since = time - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _is_broken(text: str) -> bool:
    """Tell whether it holds half of a surrogate pair, so that no file holds it."""
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def _written(approval: Approval) -> str:
    # Exact: integers of any length, floats as they are printed, 1 and 1.0 and true apart.
    return json.dumps(approval.to_wire(), separators=(",", ":"))


def _read(body: str) -> Approval:
    try:
        values: dict[str, Any] = json.loads(body)
        for name in _TIMES:
            if values[name] is not None:
                values[name] = datetime.fromisoformat(values[name])
        values["approvers"] = tuple(values["approvers"])
        values["grants"] = tuple(
            Grant(
                by_id=given["by"],
                roles=tuple(given["roles"]),
                at=datetime.fromisoformat(given["at"]),
                reason=given["reason"],
            )
            for given in values["grants"]
        )
        return Approval(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            "an approval cannot be read as this policy-engine writes them",
            "put a copy of the file in its place, and restart",
        ) from error
