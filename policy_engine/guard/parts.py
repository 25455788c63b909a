"""What a guard acts through: the engine of today, state, approvals, records, alerts."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from os import urandom
from typing import Final

from policy_engine.approvals import Approval, Approvals
from policy_engine.audit import (
    OutcomeStatus,
    Sink,
    Trace,
    decision_record,
    outcome_record,
    write,
)
from policy_engine.decision import Decision, Facts, Reservation
from policy_engine.engine import Engine
from policy_engine.guard.gather import FactFunction
from policy_engine.policy import PolicySet, Price
from policy_engine.state import MemoryState

__all__ = ["Alert", "Parts", "Revision", "Ticket", "now_utc"]

_LOG: Final = logging.getLogger("policy_engine")


@dataclass(frozen=True, slots=True)
class Alert:
    """A limit has reached the share of its `max` that alerts."""

    limit: str
    key: tuple[str, ...]
    used: float
    max: float


@dataclass(frozen=True, slots=True)
class Ticket:
    """A decision that was counted and recorded, and what is owed after the call."""

    decision: Decision
    record_id: str
    trace: Trace
    approvals: tuple[Approval, ...] = ()
    """What was asked for, where an approval is needed."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A policy set as it decides: swapped whole."""

    engine: Engine
    prices: Mapping[str, Price]

    @property
    def policies(self) -> PolicySet:
        """The policies."""
        return self.engine.compiled.policies


@dataclass(slots=True, eq=False)
class Parts:
    """What a guard acts through; every member is safe for threads."""

    revision: Revision
    state: MemoryState
    approvals: Approvals
    sink: Sink
    clock: Callable[[], datetime]
    on_alert: Callable[[Alert], object] | None = None
    functions: dict[str, FactFunction] = field(default_factory=dict)
    _alerted: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _prefix: str = field(default_factory=lambda: urandom(8).hex())
    _numbers: "count[int]" = field(default_factory=count)

    def record(self, decision: Decision, now: datetime, trace: Trace, elapsed_us: int) -> str:
        """Write the record of a decision.

        Returns:
            The id of the record.

        Raises:
            AuditError: It could not be written.
        """
        record_id = f"{self._prefix}-{next(self._numbers)}"
        write(
            self.sink,
            decision_record(
                decision,
                id=record_id,
                time=now,
                trace=trace,
                enforced=True,
                elapsed_us=elapsed_us,
                known=self.revision.engine.is_named(decision.asked),
            ),
        )
        return record_id

    def record_outcome(
        self,
        ticket: Ticket,
        status: OutcomeStatus,
        elapsed_us: int,
        error: BaseException | None = None,
    ) -> None:
        """Write what became of a call; raise `AuditError` where it cannot be written."""
        write(
            self.sink,
            outcome_record(
                decision_id=ticket.record_id,
                time=self.clock(),
                trace=ticket.trace,
                status=status,
                elapsed_us=elapsed_us,
                error=None if error is None else type(error),
                labels=ticket.decision.labels,
            ),
        )

    def watch(self, decision: Decision, facts: Facts) -> None:
        """Alert where this request brings a limit to its alerting share."""
        for item in decision.obligations:
            if (
                isinstance(item, Reservation)
                and item.alert_at is not None
                and item.amount is not None
            ):
                before = facts.counters.get((item.limit, item.key))
                used = (before.used if before else 0.0) + item.amount
                self.alert(item.limit, item.key, used, item.max, item.alert_at)

    def alert(
        self, limit: str, key: tuple[str, ...], used: float, bound: float, share: float
    ) -> None:
        """Call the hook once each time that the share is reached."""
        reached = used >= share * bound
        with self._lock:
            fresh = reached and (limit, key) not in self._alerted
            if reached:
                self._alerted.add((limit, key))
            else:
                self._alerted.discard((limit, key))
        if not fresh:
            return
        _LOG.warning("the limit %s has reached %g of %g", limit, used, bound)
        if self.on_alert is None:
            return
        try:
            self.on_alert(Alert(limit, key, used, bound))
        except Exception:  # noqa: BLE001 - a hook that fails changes no decision
            _LOG.exception("the alert hook failed")


def now_utc() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
