"""Tables that keep things as an ordered mapping does, as one transaction sees them.

Theory of operation. What a request touches is loaded when it is asked for, changed by the same
code that changes what is in memory, and written down at the end where it is another than it was.
Nothing outlives the transaction: the next one may be of another process.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from sqlite3 import Connection, Cursor
from typing import Any, Final, Generic, TypeVar

from policy_engine.errors import StoreError
from policy_engine.state.forgotten import Forgotten

__all__ = ["TABLES", "Dropped", "Rows", "Sheet", "text_of"]

K = TypeVar("K", bound=tuple[Any, ...])
V = TypeVar("V")

TABLES: Final = (
    # `turn` says in which order things were used; how many there are is counted in `sheet`.
    """CREATE TABLE sheet (
        sessions INTEGER, session_turn INTEGER,
        counters INTEGER, counter_turn INTEGER,
        debts INTEGER, debt_turn INTEGER,
        dropped INTEGER, halts INTEGER
    )""",
    "INSERT INTO sheet VALUES (0, 0, 0, 0, 0, 0, 0, 0)",
    # The least of what was dropped: a number of each name.
    "CREATE TABLE dropped (digest INTEGER PRIMARY KEY)",
)


@dataclass(slots=True)
class Counts:
    """How many things there are, and the last turns that were given."""

    sessions: int
    session_turn: int
    counters: int
    counter_turn: int
    debts: int
    debt_turn: int
    dropped: int
    halts: int

    def all(self) -> tuple[int, ...]:
        """Return them in the order of the table."""
        return (
            self.sessions,
            self.session_turn,
            self.counters,
            self.counter_turn,
            self.debts,
            self.debt_turn,
            self.dropped,
            self.halts,
        )


class Sheet:
    """What the tables share in one transaction: the connection, the time, and how many there are.

    Args:
        path: The file, for errors.
        max_dropped: How many names of what was dropped are kept.
    """

    execute: Callable[..., Cursor]
    counts: Counts

    def __init__(self, path: str, max_dropped: int) -> None:
        self.path = path
        self.max_dropped = max_dropped
        self.time: int | None = None
        """Microseconds since 1970; None where the time does not matter."""
        self._before: tuple[int, ...] = ()

    def begin(self, connection: Connection, time: int | None) -> None:
        """Begin with what the file holds now."""
        self.execute = connection.execute
        self.time = time
        self._before = self.execute("SELECT * FROM sheet").fetchone()
        self.counts = Counts(*self._before)

    def save(self) -> None:
        """Write down how many there are."""
        after = self.counts.all()
        if after != self._before:
            self.execute(
                "UPDATE sheet SET sessions=?, session_turn=?, counters=?, counter_turn=?,"
                " debts=?, debt_turn=?, dropped=?, halts=?",
                after,
            )


class Dropped(Forgotten):
    """Remembers dropped keys in a table: a number of 64 bits for each.

    Args:
        sheet: What the tables share.
    """

    __slots__ = ("_sheet",)

    def __init__(self, sheet: Sheet) -> None:
        super().__init__()
        self._sheet = sheet

    def add(self, key: tuple[object, ...]) -> None:
        """Remember a key.

        Raises:
            StoreError: There is no room: what was dropped is never forgotten for room.
        """
        sheet = self._sheet
        if sheet.counts.dropped >= sheet.max_dropped:
            raise StoreError(
                f'"{sheet.path}" cannot remember more than {sheet.max_dropped:,} dropped names',
                "raise max_dropped, or begin a new file when no session is under way",
            )
        added = sheet.execute("INSERT OR IGNORE INTO dropped VALUES (?)", (_digest(key),))
        sheet.counts.dropped += added.rowcount

    def __contains__(self, key: tuple[object, ...]) -> bool:
        sheet = self._sheet
        if not sheet.counts.dropped:
            return False
        found = sheet.execute("SELECT 1 FROM dropped WHERE digest=?", (_digest(key),))
        return found.fetchone() is not None


class Rows(ABC, Generic[K, V]):
    """An ordered mapping that is kept in one table.

    Args:
        sheet: What the tables share.
        table: The table's name, which is also the name of its count.
        turn: The name of the last turn that was given in it.
    """

    def __init__(self, sheet: Sheet, table: str, turn: str) -> None:
        self._sheet = sheet
        self._table = table
        self._turn = turn
        self._found: dict[K, V | None] = {}
        self._fresh: dict[K, int] = {}

    def begin(self) -> None:
        """Forget what an earlier transaction saw."""
        self._found.clear()
        self._fresh.clear()

    def get(self, key: K, /) -> V | None:
        """Return what is there."""
        if key in self._found:
            return self._found[key]
        try:
            found = self._load(key)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(
                f'"{self._sheet.path}" holds what this policy-engine does not write: {self._table}',
                "put a copy of the file in its place, and restart",
            ) from error
        self._found[key] = found
        return found

    def __getitem__(self, key: K, /) -> V:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: K, value: V, /) -> None:
        if self.get(key) is None:
            self._fresh[key] = self._next_turn()
            self._count(1)
        self._found[key] = value

    def __delitem__(self, key: K, /) -> None:
        self[key]
        if self._fresh.pop(key, None) is None:
            self._delete(key)
        self._found[key] = None
        self._count(-1)

    def __len__(self) -> int:
        count: int = getattr(self._sheet.counts, self._table)
        return count

    def setdefault(self, key: K, default: V, /) -> V:
        """Return what is there, or put the default there."""
        found = self.get(key)
        if found is not None:
            return found
        self[key] = default
        return default

    def move_to_end(self, key: K) -> None:
        """Make it the newest."""
        self[key]
        last = getattr(self._sheet.counts, self._turn)
        if key in self._fresh:
            self._fresh[key] = self._next_turn()
        elif self._turn_of(key) != last:
            self._move(key, self._next_turn())

    def popitem(self, last: bool = True) -> tuple[K, V]:  # noqa: FBT001, FBT002 - as a mapping has it
        """Take out the oldest.

        Raises:
            KeyError: There is none, or it is the newest that is asked for.
        """
        if last:
            raise KeyError("only the oldest is ever taken out")
        row = self._sheet.execute(
            f"SELECT turn, name FROM {self._table} ORDER BY turn LIMIT 1"  # noqa: S608 - our own
        ).fetchone()
        choice = [(turn, key) for key, turn in self._fresh.items()]
        if row is not None:
            choice.append((row[0], self._key(row[1])))
        _, oldest = min(choice, key=lambda pair: pair[0])
        found = self[oldest]
        del self[oldest]
        return oldest, found

    def save(self) -> None:
        """Write down what is another than it was."""
        for key, value in self._found.items():
            if value is not None:
                if key in self._fresh:
                    self._insert(key, value, self._fresh[key])
                else:
                    self._update(key, value)

    def _next_turn(self) -> int:
        counts = self._sheet.counts
        turn: int = getattr(counts, self._turn) + 1
        setattr(counts, self._turn, turn)
        return turn

    def _count(self, more: int) -> None:
        counts = self._sheet.counts
        setattr(counts, self._table, getattr(counts, self._table) + more)

    @abstractmethod
    def _key(self, name: str) -> K:
        """Return the key that a name was written of."""

    @abstractmethod
    def _load(self, key: K) -> V | None:
        """Return what the table has; remember how it was."""

    @abstractmethod
    def _turn_of(self, key: K) -> int:
        """Return the turn of what is loaded."""

    @abstractmethod
    def _move(self, key: K, turn: int) -> None:
        """Give another turn to what is loaded."""

    @abstractmethod
    def _insert(self, key: K, value: V, turn: int) -> None:
        """Write a new row."""

    @abstractmethod
    def _update(self, key: K, value: V) -> None:
        """Write a row that was loaded, where it is another now."""

    @abstractmethod
    def _delete(self, key: K) -> None:
        """Delete what is loaded."""


@lru_cache(maxsize=4096)
def text_of(key: tuple[Any, ...]) -> str:
    """Return a key as it is written: exact, whatever letters are in it."""
    return json.dumps(key, separators=(",", ":"))


def _digest(key: tuple[object, ...]) -> int:
    digest = blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
