"""Which calls run at this moment, by their ids: a call id is never run twice at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from policy_engine.decision import Request
from policy_engine.forks import fork_safe_lock
from policy_engine.state.hold import Scope, scope_of

__all__ = ["Running"]


class Running:
    """The call ids that are under way in this process; safe for threads."""

    def __init__(self) -> None:
        self._calls: set[tuple[Scope, str]] = set()
        self._lock = fork_safe_lock()

    @contextmanager
    def of(self, request: Request) -> Iterator[bool]:
        """Hold the id of a call while it runs; whether nobody else holds it."""
        if request.call_id is None or request.stage != "tool_call":
            yield True
            return
        key = (scope_of(request), request.call_id)
        with self._lock:
            is_first = key not in self._calls
            self._calls.add(key)
        try:
            yield is_first
        finally:
            if is_first:
                with self._lock:
                    self._calls.discard(key)
