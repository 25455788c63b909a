"""What a guard acts through: the engine of today, state, approvals, records, alerts."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Final

from policy_engine.approvals import Approvals
from policy_engine.audit import (
    OutcomeStatus,
    Sink,
    Trace,
    decision_record,
    outcome_record,
    write,
)
from policy_engine.guard.gather import FactFunction
from policy_engine.guard.log import warn
from policy_engine.guard.revision import Revision
from policy_engine.guard.running import Running
from policy_engine.guard.ticket import Ticket
from policy_engine.state import Alert, State

__all__ = ["Parts", "now_utc"]


now_utc: Final[Callable[[], datetime]] = partial(datetime.now, UTC)
"""Returns the time."""


class _Ids:
    """Ids of records: of chance for each process, and counted in it."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin anew, as a process does that was forked from another."""
        self._prefix = os.urandom(8).hex()
        self._numbers = count()

    def next(self) -> str:
        """Return the next one."""
        return f"{self._prefix}-{next(self._numbers)}"


_IDS: Final = _Ids()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_IDS.renew)


@dataclass(slots=True, eq=False)
class Parts:
    """What a guard acts through; every member is safe for threads."""

    revision: Revision
    state: State
    approvals: Approvals
    sink: Sink
    clock: Callable[[], datetime]
    on_alert: Callable[[Alert], object] | None = None
    functions: dict[str, FactFunction] = field(default_factory=dict)
    running: Running = field(default_factory=Running)

    def now(self) -> datetime:
        """Return the time.

        Raises:
            ValueError: The clock does not say its offset from UTC.
        """
        now = self.clock()
        if now.tzinfo is not UTC and now.utcoffset() is None:
            raise ValueError(
                "the clock of the guard tells a time without its offset from UTC: "
                "let it return datetime.now(UTC)"
            )
        return now

    def record(self, ticket: Ticket, elapsed_us: int) -> None:
        """Write the record of a decision.

        Raises:
            AuditError: It could not be written.
        """
        ticket.record_id = _IDS.next()
        write(
            self.sink,
            decision_record(
                ticket.decision,
                id=ticket.record_id,
                time=ticket.now,
                trace=ticket.trace,
                enforced=True,
                elapsed_us=elapsed_us,
                known=ticket.is_named,
            ),
        )

    def record_outcome(
        self,
        ticket: Ticket,
        status: OutcomeStatus,
        now: datetime,
        elapsed_us: int,
        error: BaseException | None = None,
    ) -> None:
        """Write what became of a call.

        Raises:
            AuditError: It could not be written.
        """
        write(
            self.sink,
            outcome_record(
                decision_id=ticket.record_id,
                time=now,
                trace=ticket.trace,
                status=status,
                elapsed_us=elapsed_us,
                error=None if error is None else type(error),
                labels=() if status == "not_run" else ticket.decision.labels,
            ),
        )

    def alert(self, alerts: tuple[Alert, ...], trace: Trace) -> None:
        """Call the hook for limits that have reached the share that alerts."""
        for alert in alerts:
            text = 'the limit "%s" has reached %g of %g'
            warn(trace, text, alert.limit, alert.used, alert.max)
            if self.on_alert is None:
                continue
            try:
                self.on_alert(alert)
            except Exception as error:  # noqa: BLE001 - a hook that fails changes no decision
                text = 'the alert hook failed for the limit "%s": %s'
                warn(trace, text, alert.limit, type(error).__name__)
