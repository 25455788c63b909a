"""Unreported usage in SQLite."""

import json
from collections import deque
from typing import Final

from policy_engine.decision import Reservation
from policy_engine.state.hold import Scope
from policy_engine.state.rows import Rows, Sheet, text_of
from policy_engine.state.usage import Unreported

__all__ = ["TABLES", "DebtRows"]

TABLES: Final = (
    """CREATE TABLE debts (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        turn INTEGER NOT NULL,
        body TEXT NOT NULL
    )""",
    "CREATE INDEX debts_turn ON debts (turn)",
)

_FIELDS: Final = (
    "limit",
    "key",
    "amount",
    "unit",
    "max",
    "per",
    "timezone",
    "alert_at",
    "enforced",
)


class DebtRows(Rows[Scope, deque[Unreported]]):
    """What each session owes, by tenant, principal and id."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet, "debts", "debt_turn")
        self._rows: dict[Scope, tuple[int, int, str]] = {}

    def begin(self) -> None:
        """Forget what an earlier transaction saw."""
        super().begin()
        self._rows.clear()

    def _key(self, name: str) -> Scope:
        tenant, principal, session = json.loads(name)
        return tenant, principal, session

    def _load(self, key: Scope) -> deque[Unreported] | None:
        if not len(self):
            return None
        row = self._sheet.execute(
            "SELECT id, turn, body FROM debts WHERE name=?", (text_of(key),)
        ).fetchone()
        if row is None:
            return None
        self._rows[key] = row
        return _read(row[2])

    def _turn_of(self, key: Scope) -> int:
        return self._rows[key][1]

    def _move(self, key: Scope, turn: int) -> None:
        row_id, _, body = self._rows[key]
        self._rows[key] = (row_id, turn, body)
        self._sheet.execute("UPDATE debts SET turn=? WHERE id=?", (turn, row_id))

    def _insert(self, key: Scope, value: deque[Unreported], turn: int) -> None:
        self._sheet.execute(
            "INSERT INTO debts (name, turn, body) VALUES (?, ?, ?)",
            (text_of(key), turn, _written(value)),
        )

    def _update(self, key: Scope, value: deque[Unreported]) -> None:
        row_id, _, before = self._rows[key]
        body = _written(value)
        if body != before:
            self._sheet.execute("UPDATE debts SET body=? WHERE id=?", (body, row_id))

    def _delete(self, key: Scope) -> None:
        self._sheet.execute("DELETE FROM debts WHERE id=?", (self._rows.pop(key)[0],))


def _written(owed: deque[Unreported]) -> str:
    return json.dumps(
        [
            (
                found.model,
                found.call_id,
                [[getattr(item, name) for name in _FIELDS] for item in found.reservations.values()],
            )
            for found in owed
        ]
    )


def _read(body: str) -> deque[Unreported]:
    found: deque[Unreported] = deque()
    for model, call_id, items in json.loads(body):
        reservations = {}
        for values in items:
            fields = dict(zip(_FIELDS, values, strict=True))
            fields["key"] = tuple(fields["key"])
            item = Reservation(**fields)
            reservations[item.limit, item.key] = item
        found.append(Unreported(model, call_id, reservations))
    return found
