"""When a limit alerts: as its use passes the share of its maximum that `alert_at` names."""

from dataclasses import dataclass

from policy_engine.decision import Reservation

__all__ = ["Alert", "passed"]


@dataclass(frozen=True, slots=True)
class Alert:
    """A limit has reached the share of its `max` that alerts."""

    limit: str
    key: tuple[str, ...]
    used: float
    max: float


def passed(item: Reservation, before: float, after: float) -> bool:
    """Whether this use is the one that reaches the share."""
    return item.alert_at is not None and before < item.alert_at * item.max <= after
