"""Where approvals stand: found by id, by request and rule, and bounded.

Rules of this room. A shelf is not safe for threads: its owner holds a lock, or a transaction. Open
are those that wait, are approved, or are rejected and not yet expired: a rejection that was
forgotten could be asked again. All others are closed, and the oldest of those make room.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Final, TypeAlias

from policy_engine.approvals.approval import Approval
from policy_engine.errors import ApprovalError

__all__ = ["Bounds", "MemoryShelf", "Room", "Scope", "Shelf", "scope_of"]

Scope: TypeAlias = tuple[str | None, str | None, str | None]
"""Tenant, principal and session."""

_SLACK: Final = 1_000
_ANSWER: Final = "answer those that wait, or let them expire"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may stand on a shelf."""

    open: int
    """How many approvals may be open."""
    per_session: int
    """How many of these one session may have."""
    bytes: int
    """Roughly how many bytes of arguments are kept."""
    closed: int
    """How many that are over are kept to be looked up."""


@dataclass(slots=True)
class Room:
    """How much room is taken."""

    open: int = 0
    closed: int = 0
    bytes: int = 0


class Shelf(ABC):
    """All approvals of a store, whatever keeps them; the bounds are kept to here.

    Args:
        bounds: How much may stand here.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds

    @abstractmethod
    def get(self, wanted: str) -> Approval | None:
        """Return the approval of this id."""

    @abstractmethod
    def latest(self, fingerprint: str, rule: str) -> Approval | None:
        """Return the newest approval of a request and a rule."""

    @abstractmethod
    def living(self) -> Iterable[Approval]:
        """Iterate over those that are open, in the order in which they were opened."""

    @abstractmethod
    def replace(self, approval: Approval) -> None:
        """Put an approval in the place of what it was before."""

    @abstractmethod
    def due(self, now: datetime) -> list[Approval]:
        """Return those that are open and have expired, in the order in which they did."""

    @abstractmethod
    def is_due(self, now: datetime) -> bool:
        """Tell whether `sweep` would close any."""

    def make_room(self, wanted: Sequence[tuple[Approval, int]]) -> None:
        """Forget what is over, as far as that is needed for these.

        Raises:
            ApprovalError: There is no room; nothing was changed that anybody waits for.
        """
        room, bounds = self._room(), self._bounds
        if room.open + len(wanted) > bounds.open:
            raise ApprovalError(f"{room.open} approvals are open, and no more are opened", _ANSWER)
        in_session = self._open_in(scope_of(wanted[0][0]))
        if in_session + len(wanted) > bounds.per_session:
            raise ApprovalError(
                f"{in_session} approvals of this session are open, and no more are opened", _ANSWER
            )
        size = sum(size for _, size in wanted)
        while room.bytes + size > bounds.bytes and room.closed:
            self._forget()
        if room.bytes + size > bounds.bytes:
            raise ApprovalError(
                "the arguments of open approvals take too much room, and no more are opened",
                _ANSWER,
            )
        taken = {approval.id for approval, _ in wanted}
        if len(taken) < len(wanted) or any(self.get(wanted) is not None for wanted in taken):
            raise ApprovalError("an approval would have the id of another one")

    def open(self, approval: Approval, size: int) -> None:
        """Put a new approval there, in the place of one that is over."""
        before = self.latest(approval.fingerprint, approval.rule)
        is_open = before is not None and self._is_open(before.id)
        self._add(approval, size)
        if before is not None and is_open:
            self.close(replace(before, status="expired"))

    def close(self, approval: Approval) -> None:
        """Put an approval there that is over."""
        self._close(approval)
        while self._room().closed > self._bounds.closed:
            self._forget()

    @abstractmethod
    def reopen(self, approval: Approval) -> None:
        """Put an approval there that is not over after all."""

    def sweep(self, now: datetime) -> bool:
        """Close what has expired; tell whether there was any."""
        found = self.due(now)
        for approval in found:
            over = approval.status == "rejected"
            self.close(approval if over else replace(approval, status="expired"))
        return bool(found)

    @abstractmethod
    def _room(self) -> Room:
        """Return how much is taken; it changes with what is put there."""

    @abstractmethod
    def _open_in(self, scope: Scope) -> int:
        """Return how many of a session are open."""

    @abstractmethod
    def _is_open(self, wanted: str) -> bool: ...

    @abstractmethod
    def _add(self, approval: Approval, size: int) -> None:
        """Put an approval there as an open one, the newest of its request and rule."""

    @abstractmethod
    def _close(self, approval: Approval) -> None:
        """Count an open approval to those that are over, as the last."""

    @abstractmethod
    def _forget(self) -> None:
        """Forget the one that has been over for the longest time."""


class MemoryShelf(Shelf):
    """A shelf of one process, with the order in which what stands on it expires."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__(bounds)
        self._all: dict[str, Approval] = {}
        self._latest: dict[tuple[str, str], str] = {}
        self._sizes: dict[str, int] = {}
        self._taken = Room()
        self._open: dict[str, None] = {}
        self._sessions: dict[Scope, int] = {}
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
        """Iterate over those that are open, in the order in which they were opened."""
        return (self._all[wanted] for wanted in self._open)

    def replace(self, approval: Approval) -> None:
        """Put an approval in the place of what it was before."""
        before = self._all[approval.id]
        self._all[approval.id] = approval
        if approval.expires_at != before.expires_at:
            self._push(approval)

    def due(self, now: datetime) -> list[Approval]:
        """Return those that are open and have expired, in the order in which they did."""
        found: dict[str, Approval] = {}
        while self._due and self._due[0][0] <= now:
            _, wanted = heappop(self._due)
            if wanted in self._open and self._all[wanted].expires_at <= now:
                found[wanted] = self._all[wanted]
        for approval in found.values():  # until they are closed
            heappush(self._due, (approval.expires_at, approval.id))
        return list(found.values())

    def is_due(self, now: datetime) -> bool:
        """Tell whether `sweep` would close any."""
        return bool(self._due) and self._due[0][0] <= now and bool(self.due(now))

    def reopen(self, approval: Approval) -> None:
        """Put an approval there that is not over after all."""
        self._all[approval.id] = approval
        del self._closed[approval.id]
        self._taken.closed -= 1
        self._count(approval)

    def _room(self) -> Room:
        return self._taken

    def _open_in(self, scope: Scope) -> int:
        return self._sessions.get(scope, 0)

    def _is_open(self, wanted: str) -> bool:
        return wanted in self._open

    def _add(self, approval: Approval, size: int) -> None:
        self._all[approval.id] = approval
        self._sizes[approval.id] = size
        self._taken.bytes += size
        self._latest[approval.fingerprint, approval.rule] = approval.id
        self._count(approval)

    def _close(self, approval: Approval) -> None:
        self._all[approval.id] = approval
        del self._open[approval.id]
        self._taken.open -= 1
        scope = scope_of(approval)
        self._sessions[scope] -= 1
        if not self._sessions[scope]:
            del self._sessions[scope]
        self._closed[approval.id] = None
        self._taken.closed += 1

    def _count(self, approval: Approval) -> None:
        self._open[approval.id] = None
        self._taken.open += 1
        scope = scope_of(approval)
        self._sessions[scope] = self._sessions.get(scope, 0) + 1
        self._push(approval)

    def _push(self, approval: Approval) -> None:
        heappush(self._due, (approval.expires_at, approval.id))
        if len(self._due) > 2 * len(self._open) + _SLACK:
            self._due = [(self._all[wanted].expires_at, wanted) for wanted in self._open]
            heapify(self._due)

    def _forget(self) -> None:
        oldest = next(iter(self._closed))
        del self._closed[oldest]
        self._taken.closed -= 1
        approval = self._all.pop(oldest)
        self._taken.bytes -= self._sizes.pop(oldest)
        key = (approval.fingerprint, approval.rule)
        if self._latest.get(key) == oldest:
            del self._latest[key]


def scope_of(approval: Approval) -> Scope:
    """Return whose session asked."""
    return approval.tenant, approval.principal_id, approval.session
