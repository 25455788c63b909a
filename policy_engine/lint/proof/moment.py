"""A moment whose hour, day or month is a certain number, for requests that show something."""

from datetime import UTC, datetime
from typing import Final

from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.timestamps import find_zone

__all__ = ["moment_with"]

_MONDAY: Final = datetime(2026, 1, 5, 10, tzinfo=UTC)
_SUNDAY: Final = 4
"""The day of the month before."""


def moment_with(value: int, part: str, zone: str = "UTC") -> str | None:
    """Return a moment of which a method of timestamps yields a value in a time zone, if any."""
    try:
        moment = _MONDAY.replace(tzinfo=find_zone(zone))
        changed = {
            "getHours": lambda: moment.replace(hour=value),
            "getMinutes": lambda: moment.replace(minute=value),
            "getMonth": lambda: moment.replace(month=value + 1),
            "getDate": lambda: moment.replace(day=value),
            "getDayOfMonth": lambda: moment.replace(day=value + 1),
            "getDayOfWeek": lambda: moment.replace(day=_SUNDAY + value),
            "getFullYear": lambda: moment.replace(year=value),
        }.get(part)
        told = None if changed is None else changed().astimezone(UTC)
    except (EvaluationError, ValueError, OverflowError):
        return None
    return None if told is None else told.isoformat().replace("+00:00", "Z")
