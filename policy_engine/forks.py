"""Locks that no fork leaves held: whoever forks waits until what they guard is whole."""

import os
from threading import Lock
from typing import Final
from weakref import ref

__all__ = ["fork_safe_lock"]

_LOCKS: Final[list["ref[Lock]"]] = []
_HELD: Final[list[Lock]] = []


def fork_safe_lock() -> Lock:
    """Make a lock that is taken while the process forks, so that the child finds it free.

    Who holds it takes no other of these, and calls nothing of a user's.
    """
    lock = Lock()
    _LOCKS.append(ref(lock, _LOCKS.remove))
    return lock


def _before_fork() -> None:
    for known in _LOCKS[:]:
        lock = known()
        if lock is not None:
            lock.acquire()
            _HELD.append(lock)


def _after_fork() -> None:
    while _HELD:
        _HELD.pop().release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )
