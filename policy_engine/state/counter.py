"""One counter: an exact amount in a rolling window, in a day, or for ever."""

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from policy_engine.decision import decimal, exceeds

__all__ = ["EPOCH", "MAX_ENTRIES", "Counter", "Held", "Saved", "microseconds"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MAX_ENTRIES: Final = 100_000
"""How many amounts a window keeps apart; beyond, the oldest become one."""

Held = tuple[int, int | Fraction]
"""A counted amount: when, and how much."""


def microseconds(now: datetime) -> int:
    """Return a time as microseconds since 1970; a time without an offset raises."""
    since = now - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class Saved(NamedTuple):
    """What a counter holds, to be written down."""

    total: int | Fraction
    last: int
    day: int
    unsettled: int
    entries: list[Held] | None
    """The amounts of a window, oldest first, or those of them that matter to what is done now."""


class Counter:
    """Counts amounts exactly; its time never runs backwards, so no clock can loosen it.

    Args:
        per: A window in seconds, `day`, or None for ever.
        timezone: Where `day` begins.
    """

    __slots__ = (
        "_day",
        "_entries",
        "_last",
        "_per",
        "_total",
        "_zone",
        "per",
        "timezone",
        "unsettled",
    )

    per: float | str | None
    timezone: str
    unsettled: int
    """How many permitted requests have not reported their usage."""

    def __init__(self, per: float | str | None, timezone: str) -> None:
        self.per = per
        self.timezone = timezone
        self._per = round(per * 1_000_000) if isinstance(per, int | float) else None
        self._zone = ZoneInfo(timezone) if per == "day" else None
        self._entries: list[Held] | None = None if self._per is None else []
        self._total: int | Fraction = 0
        self._day = 0
        self._last = -(1 << 62)
        self.unsettled = 0

    def used(self, now: int, *, without: Held | None = None) -> float:
        """Return what is counted now, leaving one amount out where it still counts."""
        self._advance(now)
        total = self._total
        if without is not None and self._counts(without):
            total -= without[1]
        return _rounded(total)

    def fits(self, now: int, amount: float, bound: float, *, without: Held | None = None) -> bool:
        """Whether the amount can be added and the bound still holds."""
        return not exceeds(self.used(now, without=without), amount, bound)

    def add(self, now: int, amount: float) -> Held:
        """Count an amount, and return what `remove` takes back."""
        self._advance(now)
        held = (self._last, _exact(amount))
        self._total += held[1]
        if self._entries is not None:
            self._entries.append(held)
            if len(self._entries) > MAX_ENTRIES:
                self._merge_oldest()
        return held

    def remove(self, held: Held) -> None:
        """Take an amount back, if it still counts."""
        if not self._counts(held):
            return
        if self._entries is not None:
            self._entries.remove(held)
        self._total -= held[1]

    def is_empty(self, now: int) -> bool:
        """Whether a new counter would say the same from now on."""
        return self.used(now) == 0 and self._total == 0 and self.unsettled == 0

    def is_of(self, per: float | str | None, timezone: str) -> bool:
        """Whether it counts over this window."""
        return self.per == per and (per != "day" or self.timezone == timezone)

    def carried(self, per: float | str | None, timezone: str, now: int) -> "Counter":
        """Return a counter over another window that holds what this one does, as counted last."""
        self._advance(now)
        other = Counter(per, timezone)
        other._advance(self._last)
        other._total = self._total
        if other._entries is not None and self._total:
            other._entries.append((self._last, self._total))
        other.unsettled = self.unsettled
        return other

    def saved(self) -> Saved:
        """Return what it holds, to be written down."""
        entries = None if self._entries is None else list(self._entries)
        return Saved(self._total, self._last, self._day, self.unsettled, entries)

    def restore(self, saved: Saved) -> None:
        """Hold what was written down."""
        self._total, self._last, self._day, self.unsettled, entries = saved
        if self._entries is not None:
            self._entries = list(entries or ())

    def horizon(self, now: int) -> int | None:
        """Return the time up to which no amount counts any more; None without a window."""
        return None if self._per is None else max(self._last, now) - self._per

    def _counts(self, held: Held) -> bool:
        if self._entries is not None:
            return held in self._entries
        return self._zone is None or self._date(held[0]) == self._day

    def _advance(self, now: int) -> None:
        self._last = max(self._last, now)
        if self._entries is not None and self._per is not None:
            horizon = self._last - self._per
            over = 0
            for time, amount in self._entries:
                if time > horizon:
                    break
                self._total -= amount
                over += 1
            if over:
                del self._entries[:over]
        elif self._zone is not None:
            day = self._date(self._last)
            if day != self._day:
                self._day = day
                self._total = 0

    def _merge_oldest(self) -> None:
        # The later of the two times keeps both counted longer: never looser.
        entries = self._entries
        if entries is not None:
            first, second = entries[:2]
            entries[:2] = [(second[0], first[1] + second[1])]

    def _date(self, time: int) -> int:
        return (EPOCH + timedelta(microseconds=time)).astimezone(self._zone).toordinal()


def _exact(amount: float) -> int | Fraction:
    return int(amount) if amount == int(amount) else decimal(amount)


def _rounded(total: int | Fraction) -> float:
    try:
        return float(total)
    except OverflowError:
        return math.inf
