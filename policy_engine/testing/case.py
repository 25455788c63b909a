"""A test of policies as values: cases of steps, each with what is expected of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from policy_engine.decision import Effect
from policy_engine.decision.wire import Given
from policy_engine.errors import Location
from policy_engine.testing.replay import Usage

__all__ = ["Asked", "Case", "Expected", "Step", "Suite"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval that a decision must ask for; what is None is not looked at."""

    approvers: frozenset[str] | None = None
    quorum: int | None = None
    expires: float | None = None
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of a request; what is None or empty is not looked at."""

    location: Location
    effect: Effect | None = None
    would: Effect | None = None
    rules: tuple[str, ...] = ()
    """Rules that must decide: speak with the effect of the decision, and be enforced."""
    cannot_tell: tuple[str, ...] | None = None
    """Rules that must decide because they cannot tell; None where the test speaks of none."""
    any_of: tuple[str, ...] = ()
    """Rules of which one must decide."""
    observed: tuple[str, ...] = ()
    """Rules that must speak without being enforced."""
    message: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """`text`, `args` or `result` -> what it must be once redacted."""
    labels: frozenset[str] | None = None
    approvals: Mapping[str, Asked] = field(default_factory=dict)
    """Rule -> the approval that it must ask for."""
    timeout: float | None = None
    alerts: frozenset[str] | None = None
    """Limits that reach the share that alerts at this step."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a case."""

    given: Given
    expected: Expected | None
    location: Location
    repeat: int = 1
    usage: Usage | None = None
    answered: Mapping[str, str] = field(default_factory=dict)
    """Rule -> `approved` or `rejected`."""
    after: float = 0.0
    """How many seconds later than the one before."""
    strict: bool = True
    """Whether each rule that is answered must ask."""


@dataclass(frozen=True, slots=True)
class Case:
    """Requests of one session, one after the other."""

    name: str
    location: Location
    steps: tuple[Step, ...]
    start: datetime


@dataclass(frozen=True, slots=True)
class Suite:
    """A test file: cases that share a policy set."""

    path: str
    policies: str
    """The file or folder of the policy set, from where the command runs."""
    cases: tuple[Case, ...]
