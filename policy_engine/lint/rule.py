"""A rule of the linter: its code, its manual, and the function that looks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policy_engine.lint.finding import Edit, Persona, Severity, Witness
from policy_engine.lint.manual import caption
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Path

if TYPE_CHECKING:
    from policy_engine.lint.subject import Subject

__all__ = ["Found", "LintRule"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found, and where; the linter adds the code, the severity and the line."""

    policy: LoadedPolicy
    path: Path
    message: str
    """Lower-case, no final period, the offending text in double quotes."""
    hint: str | None = None
    on_key: bool = False
    """Whether the last key of the path is the culprit, rather than its value."""
    part: tuple[int, int] | None = None
    """The part of an expression that is meant: its ends in the text of the value."""
    witness: Witness | None = None
    edits: tuple[Edit, ...] = ()
    severity: Severity | None = None
    """Where it is other than the rule's."""
    line: int | None = None
    """The line, where it is about one and not about a value."""
    within: tuple[int, int] | None = None
    """The column and the length of what is meant in that line."""


@dataclass(frozen=True, slots=True)
class LintRule:
    """One thing that lint looks for."""

    code: str
    """`PE1xx` mistakes, `PE2xx` too permissive, `PE3xx` style."""
    slug: str
    """Its name in words, never reused either."""
    severity: Severity
    manual: str
    """What it does, why, what fails, what passes, how to fix it."""
    find: Callable[["Subject"], Iterator[Found]]
    persona: Persona = "regular"
    needs_tools: bool = False
    """Whether it needs to know the tools, with `--tools`."""
    needs_reviewed: bool = False
    """Whether it needs to know how they were reviewed, with `--reviewed`."""

    proves: bool = False
    """Whether it reasons about conditions, which `--no-proofs` leaves out."""

    @property
    def caption(self) -> str:
        """The first line of the manual."""
        return caption(self.manual)
