"""What a store of state can do; the guard knows no more of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from policy_engine.decision import Decision, Facts, Halt, Needs, Request, Reservation
from policy_engine.state.hold import Hold, Usage

__all__ = ["State"]


@runtime_checkable
class State(Protocol):
    """Sessions, labels, counters, call ids and halts; safe for threads.

    What had to be dropped for room is told as unknown, never as empty. Time is given by the
    caller; where it runs backwards, no limit loosens.
    """

    def facts(
        self,
        request: Request,
        needs: Needs,
        now: datetime,
        answers: Mapping[str, Any] | None = None,
    ) -> Facts:
        """Return what a decision will read; nothing is changed."""

    def commit(self, decision: Decision, now: datetime) -> Hold | None:
        """Count a permitted request towards its limits, all of them or none, in one step.

        Returns:
            What it holds; None where a limit was used up meanwhile, or the call ran: decide again.
        """

    def release(self, hold: Hold) -> None:
        """Give back what a request holds that certainly does not run."""

    def returned(self, decision: Decision, now: datetime) -> None:
        """Note that a permitted call has handed back its result or its error."""

    def record_usage(
        self,
        request: Request,
        *,
        input_tokens: int,
        output_tokens: int,
        cost_usd: float | None,
        now: datetime,
        unasked: Iterable[Reservation] = (),
    ) -> Usage:
        """Settle what a model request counts towards token and cost limits."""

    def halt(self, halt: Halt) -> None:
        """Stop a tool, an agent, a session or everything, from now on."""

    def resume(self, halt_id: str) -> bool:
        """End a halt; whether there was one."""

    def halts(self) -> tuple[Halt, ...]:
        """Return the halts that stand."""
