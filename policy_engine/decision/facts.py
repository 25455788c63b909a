"""All that a decision may see beside the request, and what it asks to see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, Literal, NamedTuple

__all__ = [
    "NO_FACTS",
    "Calls",
    "Count",
    "CounterNeed",
    "FactNeed",
    "Facts",
    "Halt",
    "Needs",
    "Session",
    "decimal",
    "exceeds",
]


def exceeds(used: float, amount: float, bound: float) -> bool:
    """Whether an amount more would be above the bound, as decimals are read: 0.1 is a tenth."""
    try:
        if float(used).is_integer() and float(amount).is_integer():
            return used + amount > bound
        return decimal(used) + decimal(amount) > decimal(bound)
    except (ValueError, OverflowError):
        return True


def decimal(amount: float) -> Fraction:
    """Return the number that is written where this float is printed."""
    return Fraction(repr(float(amount)))


class Calls(dict[str, int]):
    """How many calls of each tool returned; none of a tool that is not listed."""

    def __missing__(self, tool: str) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Session:
    """What is known of a session when a request is decided."""

    labels: frozenset[str] = frozenset()
    calls: Mapping[str, int] = field(default_factory=Calls)
    """How many calls of each tool returned."""
    started: datetime | None = None

    def __post_init__(self) -> None:
        """Let a tool that no plain mapping lists count as called no times."""
        if self.calls.__class__ is dict:
            object.__setattr__(self, "calls", Calls(self.calls))


class Count(NamedTuple):
    """What a counter holds: the amount in the window, and whether usage is still unreported."""

    used: float
    unsettled: bool = False


@dataclass(frozen=True, slots=True)
class Halt:
    """An operator's stop: state, not policy."""

    id: str
    scope: Literal["tool", "agent", "session", "all"]
    name: str | None = None
    """The tool, agent or session; None for everything."""
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a decision sees beside the request; what is absent cannot be told."""

    now: datetime | None = None
    session: Session | None = None
    counters: Mapping[tuple[str, tuple[str, ...]], Count] = field(default_factory=dict)
    """(limit, key) -> what it holds; a pending reservation of the same call id is left out."""
    halts: tuple[Halt, ...] | None = ()
    approvals: Mapping[str, str] = field(default_factory=dict)
    """Rule -> `approved`, `pending`, `rejected` or `expired`, for the request's fingerprint."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    """What the application looked up, by the name of the fact."""
    ran: bool | None = False
    """Whether a call with the request's call id ran already."""


NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True)
class FactNeed:
    """A fact to look up; `arguments` is None where they cannot be told."""

    name: str
    source: str
    arguments: tuple[Any, ...] | None
    timeout: float
    """Seconds."""


class CounterNeed(NamedTuple):
    """A counter to read."""

    limit: str
    key: tuple[str, ...]
    per: float | str | None
    """A window in seconds, `day`, or None for ever."""
    timezone: str = "UTC"


class Needs(NamedTuple):
    """What a decision will read."""

    now: bool = False
    session: bool = False
    facts: tuple[FactNeed, ...] = ()
    counters: tuple[CounterNeed, ...] = ()
    is_named: bool = False
    """Whether an entry matches the request's name: one that none matches may be invented."""
