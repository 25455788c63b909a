"""What every store of approvals does, whatever keeps them: asking, judging, using, answering.

Theory of operation. A store gives two views of its shelf: one to look at, and one to change, in
which nobody else looks or changes. What is said here of approvals is so in memory and in a file,
because it is the same code.
"""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from policy_engine.approvals.answer import Person, approved, person, rejected
from policy_engine.approvals.approval import Approval, Status, renewed, settled, standing
from policy_engine.approvals.bell import Bell
from policy_engine.approvals.opening import aware, copied, gates_of, message_of, opened
from policy_engine.approvals.shelf import Shelf
from policy_engine.decision import ApprovalNeeded, Decision
from policy_engine.errors import ApprovalError, ApprovalNotFoundError

__all__ = ["Desk"]

_LIVING: Final = ("pending", "approved", "rejected")
_SHORTEST_NAP: Final = 0.01
_RANK: Final[tuple[Status, ...]] = ("approved", "pending", "expired", "used", "rejected")


class Desk(ABC):
    """Where approvals are asked for, judged, used and answered.

    Args:
        clock: The time for people's answers; UTC by default.
        new_id: Makes an id that cannot be guessed; of the system's randomness by default.
    """

    def __init__(
        self, clock: Callable[[], datetime] | None, new_id: Callable[[], str] | None
    ) -> None:
        self._clock = _utc if clock is None else clock
        self._new_id = _random_id if new_id is None else new_id
        self._bell = Bell()

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Shelf]:
        """Give a view of the shelf at one instant."""

    @abstractmethod
    def _writing(self) -> AbstractContextManager[Shelf]:
        """Give the shelf to change, all or nothing, with nobody else at it."""

    @abstractmethod
    def _longest_nap(self, turn: int) -> float:
        """Return after how many seconds who waits looks again, though nobody rang."""

    async def _left_async(self, ids: tuple[str, ...]) -> float | None:
        """Look as `_left` does, without blocking the loop."""
        return self._left(ids)

    def ask(self, decision: Decision, now: datetime) -> tuple[Approval, ...]:
        """Return one approval for each that the decision needs, opened where none lives."""
        gates = gates_of(decision)
        if not gates:
            return ()
        fingerprint = decision.fingerprint
        fresh = [opened(decision, gate, fingerprint, aware(now), self._new_id()) for gate in gates]
        found: list[Approval] = []
        refusal: ApprovalError | None = None
        with self._writing() as shelf:
            is_changed = shelf.sweep(now)
            living = [_renewed(shelf, gate, decision, fingerprint, now) for gate in gates]
            missing = [new for new, old in zip(fresh, living, strict=True) if old is None]
            try:
                if missing:
                    shelf.make_room(missing)
            except ApprovalError as error:
                refusal = error  # what has expired stays so
            else:
                for (new, size), old in zip(fresh, living, strict=True):
                    if old is None:
                        shelf.open(new, size)
                    found.append(new if old is None else old)
        if is_changed or any(old is not None for old in living):
            self._bell.ring()
        if refusal is not None:
            raise refusal
        return tuple(map(_shown, found))

    def statuses(
        self, fingerprint: str, gates: Sequence[ApprovalNeeded], now: datetime
    ) -> dict[str, Status]:
        """Return rule -> status, judged by what the rules ask now."""
        with self._reading() as shelf:
            if not shelf.is_due(now):
                return _statuses(shelf, fingerprint, gates, now)
        # INVARIANT: what has expired stays so, wherever the clock goes.
        with self._writing() as shelf:
            shelf.sweep(now)
            found = _statuses(shelf, fingerprint, gates, now)
        self._bell.ring()
        return found

    def use(self, fingerprint: str, gates: Sequence[ApprovalNeeded], now: datetime) -> bool:
        """Use up the approvals of all gates at once; or none of them."""
        with self._writing() as shelf:
            is_changed = shelf.sweep(now)
            found = _lifting(shelf, fingerprint, gates, now)
            for approval in found.values():
                shelf.close(replace(approval, status="used", used_at=now))
        if is_changed:
            self._bell.ring()
        return bool(found) or not gates

    def release(self, fingerprint: str, rules: Iterable[str]) -> None:
        """Give back what `use` used up, where the call certainly did not run."""
        with self._writing() as shelf:
            for rule in rules:
                approval = shelf.latest(fingerprint, rule)
                if approval is not None and approval.status == "used":
                    shelf.reopen(settled(replace(approval, used_at=None)))

    def pending(self) -> list[Approval]:
        """List what waits for people, oldest first."""
        now = self._clock()
        with self._reading() as shelf:
            waiting = [
                approval
                for approval in shelf.living()
                if standing(approval, approval.gate, now) == "pending"
            ]
        return [_shown(approval) for approval in sorted(waiting, key=lambda a: a.requested_at)]

    def get(self, id: str) -> Approval:  # noqa: A002 - as the protocol has it
        """Return one approval."""
        now = self._clock()
        with self._reading() as shelf:
            approval = _known(shelf, id)
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
        turn = 0
        while True:
            rung = self._bell.rung
            left = _nap(self._left(wanted), until, self._longest_nap(turn))
            if left is None or left <= 0:
                return left is None
            self._bell.wait(rung, left)
            turn += 1

    async def wait_async(self, ids: Iterable[str], timeout: float | None = None) -> bool:  # noqa: ASYNC109 - as the protocol has it
        """Wait as `wait` does, without blocking the loop; cancelling it changes nothing."""
        wanted = _ids(ids)
        until = None if timeout is None else monotonic() + timeout
        turn = 0
        while True:
            rung = self._bell.rung
            left = _nap(await self._left_async(wanted), until, self._longest_nap(turn))
            if left is None or left <= 0:
                return left is None
            await self._bell.wait_async(rung, left)
            turn += 1

    def _answer(
        self,
        answered: Callable[[Approval, Person, str, datetime], Approval],
        id: str,  # noqa: A002 - it is the word for it
        by: Person,
        reason: str,
    ) -> Approval:
        now = aware(self._clock())
        with self._writing() as shelf:
            approval = answered(_known(shelf, id), by, reason, now)
            shelf.replace(approval)
        self._bell.ring()
        return _shown(approval)

    def _left(self, ids: tuple[str, ...]) -> float | None:
        """Return the seconds until the first expires; None where there is nothing to wait for."""
        now = self._clock()
        waiting = []
        with self._reading() as shelf:
            for wanted in ids:
                approval = _known(shelf, wanted)
                status = standing(approval, approval.gate, now)
                if status == "pending":
                    waiting.append((approval.expires_at - now).total_seconds())
                elif status != "approved":
                    return None
        return min(waiting, default=None)


def _renewed(
    shelf: Shelf, gate: ApprovalNeeded, decision: Decision, fingerprint: str, now: datetime
) -> Approval | None:
    """Return the living approval of a gate, asked as the rule asks now."""
    old = shelf.latest(fingerprint, gate.rule)
    if old is None or standing(old, gate, now) not in _LIVING:
        return None
    new = renewed(old, gate, message_of(decision, gate.rule), decision.policy_revision)
    if new != old:
        shelf.replace(new)
    return new


def _statuses(
    shelf: Shelf, fingerprint: str, gates: Sequence[ApprovalNeeded], now: datetime
) -> dict[str, Status]:
    found: dict[str, Status] = {}
    for gate in gates:
        approval = shelf.latest(fingerprint, gate.rule)
        if approval is not None:
            status = standing(approval, gate, now)
            # Should one rule stand twice, the least of it holds.
            least = found.get(gate.rule, status)
            found[gate.rule] = max(status, least, key=_RANK.index)
    return found


def _lifting(
    shelf: Shelf, fingerprint: str, gates: Sequence[ApprovalNeeded], now: datetime
) -> dict[str, Approval]:
    """Return id -> approval for all gates; nothing where one is not approved."""
    found: dict[str, Approval] = {}
    for gate in gates:
        approval = shelf.latest(fingerprint, gate.rule)
        if approval is None or standing(approval, gate, now) != "approved":
            return {}
        found[approval.id] = approval
    return found


def _known(shelf: Shelf, wanted: str) -> Approval:
    approval = shelf.get(wanted)
    if approval is None:
        raise ApprovalNotFoundError(
            f'no approval has the id "{wanted}"', "pending() lists those that wait"
        )
    return approval


def _shown(approval: Approval) -> Approval:
    """Return it with arguments of its own: what people do to them changes nothing here."""
    if approval.args is None:
        return approval
    return replace(approval, args=copied(approval.args)[0])


def _nap(left: float | None, until: float | None, longest: float) -> float | None:
    """Return how long to sleep; None where there is nothing to wait for."""
    if left is None:
        return None
    nap = min(max(left, _SHORTEST_NAP), longest)
    return nap if until is None else min(nap, until - monotonic())


def _ids(ids: Iterable[str]) -> tuple[str, ...]:
    if isinstance(ids, str):
        raise ApprovalError("ids are given as a list", f'write ["{ids}"]')
    return tuple(ids)


def _random_id() -> str:
    return secrets.token_hex(16)


def _utc() -> datetime:
    return datetime.now(UTC)
