"""Where approvals stand in memory: found by id, by request and rule, and bounded.

Rules of this room. Not safe for threads: its owner holds a lock. Open are those that wait, are
approved, or are rejected and not yet expired: a rejection that was forgotten could be asked
again. All others are closed, and the oldest of those make room.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Final, TypeAlias

from policy_engine.approvals.approval import Approval
from policy_engine.errors import ApprovalError

__all__ = ["Shelf"]

_Scope: TypeAlias = tuple[str | None, str | None, str | None]

_SLACK: Final = 1_000


class Shelf:
    """All approvals of a store, their order of expiry, and how much room they take."""

    def __init__(
        self, max_open: int, max_open_per_session: int, max_bytes: int, max_closed: int
    ) -> None:
        self._max_open = max_open
        self._max_open_per_session = max_open_per_session
        self._max_bytes = max_bytes
        self._max_closed = max_closed
        self._all: dict[str, Approval] = {}
        self._latest: dict[tuple[str, str], str] = {}
        self._sizes: dict[str, int] = {}
        self._bytes = 0
        self._open: dict[str, None] = {}
        self._sessions: dict[_Scope, int] = {}
        self._closed: dict[str, None] = {}
        self._due: list[tuple[datetime, str]] = []

    def get(self, wanted: str) -> Approval | None:
        """Return the approval of this id."""
        return self._all.get(wanted)

    def latest(self, fingerprint: str, rule: str) -> Approval | None:
        """Return the newest approval of a request and a rule."""
        found = self._latest.get((fingerprint, rule))
        return None if found is None else self._all[found]

    def living(self) -> Iterator[Approval]:
        """Iterate over those that are open."""
        return (self._all[wanted] for wanted in self._open)

    def make_room(self, wanted: Sequence[tuple[Approval, int]]) -> None:
        """Forget what is over, as far as that is needed for these.

        Raises:
            ApprovalError: There is no room; nothing was changed that anybody waits for.
        """
        if len(self._open) + len(wanted) > self._max_open:
            raise ApprovalError(
                f"{len(self._open)} approvals are open, and no more are opened",
                "answer those that wait, or let them expire",
            )
        in_session = self._sessions.get(_scope(wanted[0][0]), 0)
        if in_session + len(wanted) > self._max_open_per_session:
            raise ApprovalError(
                f"{in_session} approvals of this session are open, and no more are opened",
                "answer those that wait, or let them expire",
            )
        size = sum(size for _, size in wanted)
        while self._bytes + size > self._max_bytes and self._closed:
            self._forget()
        if self._bytes + size > self._max_bytes:
            raise ApprovalError(
                "the arguments of open approvals take too much room, and no more are opened",
                "answer those that wait, or let them expire",
            )
        taken = {approval.id for approval, _ in wanted}
        if len(taken) < len(wanted) or not taken.isdisjoint(self._all):
            raise ApprovalError("an approval would have the id of another one")

    def open(self, approval: Approval, size: int) -> None:
        """Put a new approval there, in the place of one that is over."""
        key = (approval.fingerprint, approval.rule)
        before = self._latest.get(key)
        self._all[approval.id] = approval
        self._sizes[approval.id] = size
        self._bytes += size
        self._latest[key] = approval.id
        self._count(approval)
        if before in self._open:
            self.close(replace(self._all[before], status="expired"))

    def replace(self, approval: Approval) -> None:
        """Put an approval in the place of what it was before."""
        before = self._all[approval.id]
        self._all[approval.id] = approval
        if approval.expires_at != before.expires_at:
            self._push(approval)

    def close(self, approval: Approval) -> None:
        """Put an approval there that is over."""
        self._all[approval.id] = approval
        del self._open[approval.id]
        scope = _scope(approval)
        self._sessions[scope] -= 1
        if not self._sessions[scope]:
            del self._sessions[scope]
        self._closed[approval.id] = None
        while len(self._closed) > self._max_closed:
            self._forget()

    def reopen(self, approval: Approval) -> None:
        """Put an approval there that is not over after all."""
        self._all[approval.id] = approval
        del self._closed[approval.id]
        self._count(approval)

    def sweep(self, now: datetime) -> bool:
        """Close what has expired; tell whether there was any."""
        swept = False
        while self._due and self._due[0][0] <= now:
            _, wanted = heappop(self._due)
            if wanted in self._open and self._all[wanted].expires_at <= now:
                approval = self._all[wanted]
                over = approval.status == "rejected"
                self.close(approval if over else replace(approval, status="expired"))
                swept = True
        return swept

    def _count(self, approval: Approval) -> None:
        self._open[approval.id] = None
        scope = _scope(approval)
        self._sessions[scope] = self._sessions.get(scope, 0) + 1
        self._push(approval)

    def _push(self, approval: Approval) -> None:
        heappush(self._due, (approval.expires_at, approval.id))
        if len(self._due) > 2 * len(self._open) + _SLACK:
            self._due = [(self._all[wanted].expires_at, wanted) for wanted in self._open]
            heapify(self._due)

    def _forget(self) -> None:
        """Forget the one that has been over for the longest time."""
        oldest = next(iter(self._closed))
        del self._closed[oldest]
        approval = self._all.pop(oldest)
        self._bytes -= self._sizes.pop(oldest)
        key = (approval.fingerprint, approval.rule)
        if self._latest.get(key) == oldest:
            del self._latest[key]


def _scope(approval: Approval) -> _Scope:
    return approval.tenant, approval.principal_id, approval.session
