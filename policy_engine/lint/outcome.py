"""What came of linting some policy sets; it knows how the command ends."""

from dataclasses import dataclass

from policy_engine.errors import Fault
from policy_engine.lint.finding import SEVERITIES, Finding, Severity

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Faults and findings of every set."""

    files: tuple[str, ...]
    """Every policy file that was read."""
    policies: int
    rules: int
    faults: tuple[Fault, ...]
    """Why sets do not load."""
    findings: tuple[Finding, ...]
    fail_level: Severity = "warning"
    silenced: int = 0
    """How many findings a comment silences."""
    known: int = 0
    """How many findings the baseline knows."""
    gone: int = 0
    """How many findings of the baseline are no more."""
    fixed: int = 0
    """How many findings `--fix` mended."""

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 2 a set does not load."""
        if self.faults:
            return 2
        least = SEVERITIES[self.fail_level]
        return 1 if any(SEVERITIES[one.severity] >= least for one in self.findings) else 0
