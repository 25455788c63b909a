"""Approvals in a file: asked for in one process, answered in another, used once by a third."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from policy_engine.approvals.desk import Desk
from policy_engine.approvals.rows import SqliteShelf, schema
from policy_engine.approvals.shelf import Bounds, Shelf
from policy_engine.database import Database, Durability

__all__ = ["SqliteApprovals"]

_FIRST_NAP = 0.05
_LAST_NAP = 1.0


class SqliteApprovals(Desk):
    """Approvals in a SQLite file, for as many processes of one machine as like.

    Nothing that a method has returned from is lost where a process is killed. Of all processes
    that race for an approval one uses it up. Who waits notices an answer that another process
    gave within a second, and one of this process at once.

    Methods do their work when they are called, which takes some ten microseconds, or a wait for
    the disk with `durability="full"`; `wait_async` looks from a thread. The file is made with mode
    0600: it holds the arguments of calls, and the key that fingerprints are made with.

    Where there is no room no further approval is opened, which denies; one that waits is never
    dropped. What is over is kept for a while, so that people can look it up.

    Args:
        path: The file; made where there is none. Its folder must exist, on a local disk.
        clock: The time for people's answers; UTC by default.
        new_id: Makes an id that cannot be guessed; of the system's randomness by default.
        durability: `normal`: what was written survives the end of a process at any instant.
            `full`: it survives a power cut too.
        timeout: For how many seconds to wait for another process that writes.
        max_open: How many may wait, or be approved or rejected and not over, at a time.
        max_open_per_session: How many of these one session may have.
        max_bytes: Roughly how many bytes of arguments are kept.
        max_closed: How many that are over are kept to be looked up.

    Raises:
        StoreError: The file cannot be used, or holds something else; any method may raise it.
    """

    def __init__(  # noqa: PLR0913 - each bound has its own name
        self,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], datetime] | None = None,
        new_id: Callable[[], str] | None = None,
        durability: Durability = "normal",
        timeout: float = 5.0,
        max_open: int = 10_000,
        max_open_per_session: int = 100,
        max_bytes: int = 64 * 1024 * 1024,
        max_closed: int = 10_000,
    ) -> None:
        super().__init__(clock, new_id)
        self._bounds = Bounds(max_open, max_open_per_session, max_bytes, max_closed)
        self._database = Database(path, schema(), durability=durability, timeout=timeout)
        with self._database.reading as connection:
            found = connection.execute("SELECT key FROM secret").fetchone()
        self._key: bytes = found[0]

    @property
    def key(self) -> bytes:
        """The secret that fingerprints are made with; all processes of the file share it."""
        return self._key

    def close(self) -> None:
        """Close the file; what is called after this opens it anew."""
        self._database.close()

    @contextmanager
    def _reading(self) -> Iterator[Shelf]:
        with self._database.reading as connection:
            yield SqliteShelf(connection, self._bounds)

    @contextmanager
    def _writing(self) -> Iterator[Shelf]:
        with self._database.writing as connection:
            shelf = SqliteShelf(connection, self._bounds)
            yield shelf
            shelf.save()

    def _longest_nap(self, turn: int) -> float:
        return min(_FIRST_NAP * 1.5 ** min(turn, 20), _LAST_NAP)

    async def _left_async(self, ids: tuple[str, ...]) -> float | None:
        import asyncio  # noqa: PLC0415 - only who awaits pays for its import

        return await asyncio.to_thread(self._left, ids)
