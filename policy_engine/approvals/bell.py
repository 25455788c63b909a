"""Who waits for answers is woken here: threads and tasks of one process.

Theory of operation. A bell counts how often it rang. Who waits reads the count, then looks, then
waits for another count: a ring between the look and the wait is not missed, and nobody holds a
lock while looking.
"""

import os
from threading import Condition, Lock
from time import monotonic
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

__all__ = ["Bell"]

_BELLS: Final[WeakSet["Bell"]] = WeakSet()


class Bell:
    """Wakes what waits in this process; safe for threads."""

    def __init__(self) -> None:
        self.rung = 0
        """How often it rang."""
        self.awaiting: dict[Future[None], AbstractEventLoop] = {}
        """The tasks that wait, and the loops that they wait in."""
        self._changed = Condition(Lock())
        _BELLS.add(self)

    def ring(self) -> None:
        """Wake all that wait."""
        with self._changed:
            self.rung += 1
            self._changed.notify_all()
            for woken, loop in self.awaiting.items():
                try:
                    loop.call_soon_threadsafe(_settle, woken)
                except RuntimeError:
                    # That loop is closed: nobody waits there.
                    continue
            self.awaiting.clear()

    def wait(self, rung: int, seconds: float) -> None:
        """Wait until it has rung more often than that, or for so many seconds."""
        until = monotonic() + seconds
        with self._changed:
            while self.rung == rung and (left := until - monotonic()) > 0:
                self._changed.wait(left)

    async def wait_async(self, rung: int, seconds: float) -> None:
        """Wait likewise, without blocking the loop."""
        import asyncio  # noqa: PLC0415 - only who awaits pays for its import

        loop = asyncio.get_running_loop()
        woken: Future[None] = loop.create_future()
        with self._changed:
            if self.rung != rung:
                return
            self.awaiting[woken] = loop
        try:
            await asyncio.wait([woken], timeout=seconds)
        finally:
            with self._changed:
                self.awaiting.pop(woken, None)

    def renew_lock(self) -> None:
        """Forget a lock that another thread held while the process was forked."""
        self._changed = Condition(Lock())


def _settle(woken: "Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)


def _renew_locks() -> None:
    for bell in _BELLS:
        bell.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
