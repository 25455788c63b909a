"""Approvals in memory: what one process remembers until it ends."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Condition, Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

from policy_engine.approvals.answer import Person, approved, person, rejected
from policy_engine.approvals.approval import Approval, Status, renewed, settled, standing
from policy_engine.approvals.opening import aware, copied, gates_of, message_of, opened
from policy_engine.approvals.shelf import Shelf
from policy_engine.decision import ApprovalNeeded, Decision
from policy_engine.errors import ApprovalError, ApprovalNotFoundError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

__all__ = ["MemoryApprovals"]

_LIVING: Final = ("pending", "approved", "rejected")
_LONGEST_NAP: Final = 3600.0
_SHORTEST_NAP: Final = 0.01
_RANK: Final[tuple[Status, ...]] = ("approved", "pending", "expired", "used", "rejected")


class MemoryApprovals:
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
        self._clock = _utc if clock is None else clock
        self._key = secrets.token_bytes(32) if key is None else key
        self._new_id = _random_id if new_id is None else new_id
        self._shelf = Shelf(max_open, max_open_per_session, max_bytes, max_closed)
        self._changed = Condition(Lock())
        self._awaiting: dict[Future[None], AbstractEventLoop] = {}

    @property
    def key(self) -> bytes:
        """The secret that fingerprints are made with."""
        return self._key

    def ask(self, decision: Decision, now: datetime) -> tuple[Approval, ...]:
        """Return one approval for each that the decision needs, opened where none lives."""
        gates = gates_of(decision)
        if not gates:
            return ()
        fingerprint = decision.fingerprint
        fresh = [opened(decision, gate, fingerprint, aware(now), self._new_id()) for gate in gates]
        with self._changed:
            self._sweep(now)
            living = [self._renew(gate, decision, fingerprint, now) for gate in gates]
            missing = [new for new, old in zip(fresh, living, strict=True) if old is None]
            if missing:
                self._shelf.make_room(missing)
            found = []
            for (new, size), old in zip(fresh, living, strict=True):
                if old is None:
                    self._shelf.open(new, size)
                found.append(new if old is None else old)
            if any(old is not None for old in living):
                self._wake()
        return tuple(map(_shown, found))

    def statuses(
        self, fingerprint: str, gates: Sequence[ApprovalNeeded], now: datetime
    ) -> dict[str, Status]:
        """Return rule -> status, judged by what the rules ask now."""
        found: dict[str, Status] = {}
        with self._changed:
            self._sweep(now)
            for gate in gates:
                approval = self._shelf.latest(fingerprint, gate.rule)
                if approval is not None:
                    status = standing(approval, gate, now)
                    # Should one rule stand twice, the least of it holds.
                    least = found.get(gate.rule, status)
                    found[gate.rule] = max(status, least, key=_RANK.index)
        return found

    def use(self, fingerprint: str, gates: Sequence[ApprovalNeeded], now: datetime) -> bool:
        """Use up the approvals of all gates at once; or none of them."""
        with self._changed:
            self._sweep(now)
            found: dict[str, Approval] = {}
            for gate in gates:
                approval = self._shelf.latest(fingerprint, gate.rule)
                if approval is None or standing(approval, gate, now) != "approved":
                    return False
                found[approval.id] = approval
            for approval in found.values():
                self._shelf.close(replace(approval, status="used", used_at=now))
            return True

    def release(self, fingerprint: str, rules: Iterable[str]) -> None:
        """Give back what `use` used up, where the call certainly did not run."""
        with self._changed:
            for rule in rules:
                approval = self._shelf.latest(fingerprint, rule)
                if approval is not None and approval.status == "used":
                    self._shelf.reopen(settled(replace(approval, used_at=None)))

    def pending(self) -> list[Approval]:
        """List what waits for people, oldest first."""
        now = self._clock()
        with self._changed:
            waiting = [
                approval
                for approval in self._shelf.living()
                if standing(approval, approval.gate, now) == "pending"
            ]
        return [_shown(approval) for approval in sorted(waiting, key=lambda a: a.requested_at)]

    def get(self, id: str) -> Approval:  # noqa: A002 - as the protocol has it
        """Return one approval."""
        now = self._clock()
        with self._changed:
            approval = self._known(id)
        if approval.status == "rejected":
            return _shown(approval)
        return _shown(replace(approval, status=standing(approval, approval.gate, now)))

    def approve(self, id: str, *, by: Mapping[str, object], reason: str = "") -> Approval:  # noqa: A002 - as the protocol has it
        """Add a person's approval; enough of them lift the rule for one call."""
        return self._answer(approved, id, person(by), reason)

    def reject(self, id: str, *, by: Mapping[str, object], reason: str = "") -> Approval:  # noqa: A002 - as the protocol has it
        """Reject it, which ends it."""
        return self._answer(rejected, id, person(by), reason)

    def wait(self, ids: Iterable[str], timeout: float | None = None) -> bool:
        """Wait until all are approved, or one can no longer be."""
        wanted = _ids(ids)
        until = None if timeout is None else monotonic() + timeout
        while True:
            now = self._clock()
            with self._changed:
                left = _nap(self._left(wanted, now), until)
                if left is None or left <= 0:
                    return left is None
                self._changed.wait(left)

    async def wait_async(self, ids: Iterable[str], timeout: float | None = None) -> bool:  # noqa: ASYNC109 - as the protocol has it
        """Wait as `wait` does, without blocking the loop; cancelling it changes nothing."""
        import asyncio  # noqa: PLC0415 - only who awaits pays for its import

        wanted = _ids(ids)
        until = None if timeout is None else monotonic() + timeout
        loop = asyncio.get_running_loop()
        while True:
            now = self._clock()
            with self._changed:
                left = _nap(self._left(wanted, now), until)
                if left is None or left <= 0:
                    return left is None
                woken: Future[None] = loop.create_future()
                self._awaiting[woken] = loop
            try:
                await asyncio.wait([woken], timeout=left)
            finally:
                with self._changed:
                    self._awaiting.pop(woken, None)

    def _sweep(self, now: datetime) -> None:
        # INVARIANT: what has expired stays so, wherever the clock goes.
        if self._shelf.sweep(now):
            self._wake()

    def _renew(
        self, gate: ApprovalNeeded, decision: Decision, fingerprint: str, now: datetime
    ) -> Approval | None:
        """Return the living approval of a gate, asked as the rule asks now."""
        old = self._shelf.latest(fingerprint, gate.rule)
        if old is None or standing(old, gate, now) not in _LIVING:
            return None
        message = message_of(decision, gate.rule)
        new = renewed(old, gate, message, decision.policy_revision)
        self._shelf.replace(new)
        return new

    def _answer(
        self,
        answered: Callable[[Approval, Person, str, datetime], Approval],
        id: str,  # noqa: A002 - it is the word for it
        by: Person,
        reason: str,
    ) -> Approval:
        now = aware(self._clock())
        with self._changed:
            approval = answered(self._known(id), by, reason, now)
            self._shelf.replace(approval)
            self._wake()
        return _shown(approval)

    def _known(self, id: str) -> Approval:  # noqa: A002 - it is the word for it
        approval = self._shelf.get(id)
        if approval is None:
            raise ApprovalNotFoundError(
                f'no approval has the id "{id}"', "pending() lists those that wait"
            )
        return approval

    def _left(self, ids: tuple[str, ...], now: datetime) -> float | None:
        """Return the seconds until the first expires; None where there is nothing to wait for."""
        waiting = []
        for wanted in ids:
            approval = self._known(wanted)
            status = standing(approval, approval.gate, now)
            if status == "pending":
                waiting.append((approval.expires_at - now).total_seconds())
            elif status != "approved":
                return None
        return min(waiting, default=None)

    def _wake(self) -> None:
        self._changed.notify_all()
        for woken, loop in self._awaiting.items():
            try:
                loop.call_soon_threadsafe(_settle, woken)
            except RuntimeError:
                # That loop is closed: nobody waits there.
                continue
        self._awaiting.clear()


def _shown(approval: Approval) -> Approval:
    """Return it with arguments of its own: what people do to them changes nothing here."""
    if approval.args is None:
        return approval
    return replace(approval, args=copied(approval.args)[0])


def _nap(left: float | None, until: float | None) -> float | None:
    """Return how long to sleep; None where there is nothing to wait for."""
    if left is None:
        return None
    nap = min(max(left, _SHORTEST_NAP), _LONGEST_NAP)
    return nap if until is None else min(nap, until - monotonic())


def _ids(ids: Iterable[str]) -> tuple[str, ...]:
    if isinstance(ids, str):
        raise ApprovalError("ids are given as a list", f'write ["{ids}"]')
    return tuple(ids)


def _settle(woken: "Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)


def _random_id() -> str:
    return secrets.token_hex(16)


def _utc() -> datetime:
    return datetime.now(UTC)
