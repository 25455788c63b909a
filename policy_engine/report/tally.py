"""What a replay adds up, in memory that does not grow with the file."""

from dataclasses import dataclass, field
from typing import Final

from policy_engine.decision import EFFECTS, Decision, Effect

__all__ = ["OTHERS", "Tally", "Unmet"]

OTHERS: Final = "(others)"
"""The row of what came after the table was full."""

_MAX_ROWS: Final = 500
_MAX_UNMET: Final = 100

_Row = dict[str, int]


@dataclass(frozen=True, slots=True)
class Unmet:
    """An expectation that a decision did not meet."""

    line: int
    step: int | None
    """Which step of the line's session, from 1; None for a request or for the whole session."""
    expected: str
    got: Effect
    rules: tuple[str, ...]
    """The rules that spoke, strictest first."""


@dataclass(slots=True)
class Tally:
    """Counts of a replay."""

    lines: int = 0
    decisions: int = 0
    effects: dict[Effect, int] = field(default_factory=lambda: dict.fromkeys(EFFECTS, 0))
    would_differ: int = 0
    """Decisions that would be others if what is only observed were enforced."""
    by_name: dict[str, _Row] = field(default_factory=dict)
    """Tool, handoff, model or stage -> effect -> how many decisions."""
    by_rule: dict[str, _Row] = field(default_factory=dict)
    """Rule -> effect, or `observed` -> how often it spoke."""
    met: int = 0
    unmet: int = 0
    first_unmet: list[Unmet] = field(default_factory=list)

    def add(self, decision: Decision, name: str) -> None:
        """Count a decision about what goes by this name."""
        self.decisions += 1
        self.effects[decision.effect] += 1
        self.would_differ += decision.would != decision.effect
        _count(self.by_name, name, decision.effect)
        for reason in decision.reasons:
            _count(self.by_rule, reason.rule, reason.effect if reason.enforced else "observed")

    def expect(self, unmet: Unmet | None) -> None:
        """Note an expectation; None says that it was met."""
        if unmet is None:
            self.met += 1
            return
        self.unmet += 1
        if len(self.first_unmet) < _MAX_UNMET:
            self.first_unmet.append(unmet)


def _count(table: dict[str, _Row], name: str, column: str) -> None:
    row = table.get(name)
    if row is None:
        if len(table) >= _MAX_ROWS:
            name = OTHERS
        row = table.setdefault(name, {})
    row[column] = row.get(column, 0) + 1
