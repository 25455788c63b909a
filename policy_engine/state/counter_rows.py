"""Counters in SQLite: of a window, only the amounts are loaded that matter now."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from policy_engine.state.amounts import amount_of, written
from policy_engine.state.counter import MAX_ENTRIES, Counter, Held, Saved
from policy_engine.state.hold import Key
from policy_engine.state.rows import Rows, Sheet, text_of

__all__ = ["TABLES", "CounterRows"]

TABLES: Final = (
    # `entries` counts those that there are, `number` those that there ever were.
    """CREATE TABLE counters (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        turn INTEGER NOT NULL,
        per,
        timezone TEXT NOT NULL,
        total TEXT NOT NULL,
        last INTEGER NOT NULL,
        day INTEGER NOT NULL,
        unsettled INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        number INTEGER NOT NULL
    )""",
    "CREATE INDEX counters_turn ON counters (turn)",
    """CREATE TABLE entries (
        counter INTEGER NOT NULL,
        time INTEGER NOT NULL,
        number INTEGER NOT NULL,
        amount TEXT NOT NULL,
        PRIMARY KEY (counter, time, number)
    ) WITHOUT ROWID""",
)

_MANY: Final = 64
"""How many amounts that are over are left for the next request that counts."""

_Entry = tuple[int, int, str]
"""Time, number, amount."""


@dataclass(slots=True)
class _Row:
    """A counter as it was loaded."""

    id: int
    turn: int
    counter: Counter
    before: Saved
    loaded: list[_Entry]
    entries: int
    number: int


class CounterRows(Rows[Key, Counter]):
    """Counters by limit and key."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet, "counters", "counter_turn")
        self._rows: dict[Key, _Row] = {}
        self.held: Mapping[Key, Held | None] = {}
        """Amounts that may be left out or taken back in this transaction."""

    def begin(self) -> None:
        """Forget what an earlier transaction saw."""
        super().begin()
        self._rows.clear()
        self.held = {}

    def is_worn(self) -> bool:
        """Whether reading alone found much that is over, so that it is worth writing down."""
        return any(
            len(row.loaded) > _MANY or row.counter.saved().day != row.before.day
            for row in self._rows.values()
        )

    def _key(self, name: str) -> Key:
        limit, key = json.loads(name)
        return limit, tuple(key)

    def _load(self, key: Key) -> Counter | None:
        found = self._sheet.execute(
            "SELECT id, turn, per, timezone, total, last, day, unsettled, entries, number"
            " FROM counters WHERE name=?",
            (text_of(key),),
        ).fetchone()
        if found is None:
            return None
        row_id, turn, per, timezone, total, last, day, unsettled, entries, number = found
        counter = Counter(per, timezone)
        counter.restore(Saved(amount_of(total), last, day, unsettled, None))
        loaded = self._entries(key, row_id, counter) if entries else []
        amounts = [(time, amount_of(amount)) for time, _, amount in loaded]
        counter.restore(Saved(amount_of(total), last, day, unsettled, amounts))
        self._rows[key] = _Row(row_id, turn, counter, counter.saved(), loaded, entries, number)
        return counter

    def _entries(self, key: Key, row_id: int, counter: Counter) -> list[_Entry]:
        """Return what is over by now, and what may be taken back: nothing else is asked about."""
        found: list[_Entry] = []
        horizon = None if self._sheet.time is None else counter.horizon(self._sheet.time)
        if horizon is not None:
            found = self._sheet.execute(
                "SELECT time, number, amount FROM entries WHERE counter=? AND time<=?"
                " ORDER BY time, number",
                (row_id, horizon),
            ).fetchall()
        held = self.held.get(key)
        if held is not None and (horizon is None or held[0] > horizon):
            found += self._sheet.execute(
                "SELECT time, number, amount FROM entries WHERE counter=? AND time=? AND amount=?"
                " ORDER BY number LIMIT 1",
                (row_id, held[0], written(held[1])),
            ).fetchall()
        return found

    def _turn_of(self, key: Key) -> int:
        return self._rows[key].turn

    def _move(self, key: Key, turn: int) -> None:
        row = self._rows[key]
        row.turn = turn
        self._sheet.execute("UPDATE counters SET turn=? WHERE id=?", (turn, row.id))

    def _insert(self, key: Key, value: Counter, turn: int) -> None:
        saved = value.saved()
        made = self._sheet.execute(
            "INSERT INTO counters"
            " (name, turn, per, timezone, total, last, day, unsettled, entries, number)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
            (text_of(key), turn, value.per, value.timezone, *_changing(saved)),
        )
        row_id = made.lastrowid
        assert row_id is not None  # noqa: S101 - what was inserted has an id
        fresh = _Row(row_id, turn, value, saved, [], 0, 0)
        if saved.entries:
            self._keep(fresh, saved)

    def _update(self, key: Key, value: Counter) -> None:
        row = self._rows[key]
        saved = value.saved()
        if value is not row.counter:
            self._sheet.execute("DELETE FROM entries WHERE counter=?", (row.id,))
            row.loaded, row.entries = [], 0
            self._sheet.execute(
                "UPDATE counters SET per=?, timezone=? WHERE id=?",
                (value.per, value.timezone, row.id),
            )
        elif saved == row.before:
            return
        self._keep(row, saved)

    def _keep(self, row: _Row, saved: Saved) -> None:
        """Write down what a counter holds now."""
        execute = self._sheet.execute
        left = list(saved.entries or ())
        for time, number, amount in row.loaded:
            kept = (time, amount_of(amount))
            if kept in left:
                left.remove(kept)
            else:
                execute(
                    "DELETE FROM entries WHERE counter=? AND time=? AND number=?",
                    (row.id, time, number),
                )
                row.entries -= 1
        for time, exact in left:
            row.number += 1
            row.entries += 1
            execute(
                "INSERT INTO entries VALUES (?, ?, ?, ?)",
                (row.id, time, row.number, written(exact)),
            )
        while row.entries > MAX_ENTRIES:
            self._merge_oldest(row)
        execute(
            "UPDATE counters SET total=?, last=?, day=?, unsettled=?, entries=?, number=?"
            " WHERE id=?",
            (*_changing(saved), row.entries, row.number, row.id),
        )

    def _merge_oldest(self, row: _Row) -> None:
        """Let the second oldest amount hold the oldest too, as a counter in memory does."""
        (early, first, more), (time, second, amount) = self._sheet.execute(
            "SELECT time, number, amount FROM entries WHERE counter=?"
            " ORDER BY time, number LIMIT 2",
            (row.id,),
        ).fetchall()
        execute = self._sheet.execute
        execute(
            "DELETE FROM entries WHERE counter=? AND time=? AND number=?", (row.id, early, first)
        )
        execute(
            "UPDATE entries SET amount=? WHERE counter=? AND time=? AND number=?",
            (written(amount_of(amount) + amount_of(more)), row.id, time, second),
        )
        row.entries -= 1

    def _delete(self, key: Key) -> None:
        row_id = (self._rows.pop(key).id,)
        self._sheet.execute("DELETE FROM entries WHERE counter=?", row_id)
        self._sheet.execute("DELETE FROM counters WHERE id=?", row_id)


def _changing(saved: Saved) -> tuple[str, int, int, int]:
    return written(saved.total), saved.last, saved.day, saved.unsettled
