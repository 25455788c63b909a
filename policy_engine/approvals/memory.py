"""Approvals in memory: what one process remembers until it ends."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from policy_engine.approvals.desk import Desk
from policy_engine.approvals.shelf import Bounds, MemoryShelf, Shelf
from policy_engine.forks import fork_safe_lock

__all__ = ["MemoryApprovals"]


class MemoryApprovals(Desk):
    """Approvals of one process; bounded, and safe for threads.

    Where there is no room no further approval is opened, which denies; one that waits is never
    dropped. What is over is kept for a while, so that people can look it up.

    Args:
        clock: The time for people's answers; UTC by default. The guard brings its own.
        key: The secret that fingerprints are made with; random by default.
        new_id: Makes an id that cannot be guessed; of the system's randomness by default.
        max_open: How many may wait, or be approved or rejected and not over, at a time.
        max_open_per_session: How many of these one session may have.
        max_bytes: Roughly how many bytes of arguments are kept.
        max_closed: How many that are over are kept to be looked up.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        key: bytes | None = None,
        new_id: Callable[[], str] | None = None,
        max_open: int = 10_000,
        max_open_per_session: int = 100,
        max_bytes: int = 64 * 1024 * 1024,
        max_closed: int = 1_000,
    ) -> None:
        if key is not None and not key:
            raise ValueError("the key of an approval store must not be empty")
        super().__init__(clock, new_id)
        self._key = secrets.token_bytes(32) if key is None else key
        self._shelf = MemoryShelf(Bounds(max_open, max_open_per_session, max_bytes, max_closed))
        self._lock = fork_safe_lock()

    @property
    def key(self) -> bytes:
        """The secret that fingerprints are made with."""
        return self._key

    def _reading(self) -> AbstractContextManager[Shelf]:
        return self._held()

    def _writing(self) -> AbstractContextManager[Shelf]:
        return self._held()

    @contextmanager
    def _held(self) -> Iterator[Shelf]:
        with self._lock:
            yield self._shelf

    def _longest_nap(self, turn: int) -> float:  # noqa: ARG002 - whoever answers rings
        return 3600.0
