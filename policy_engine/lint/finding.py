"""What lint says: a finding, the call that shows it, and the edit that mends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from policy_engine.cel.nodes import Node
from policy_engine.errors import Location

__all__ = ["SEVERITIES", "Edit", "Finding", "Persona", "Severity", "Witness"]

Severity: TypeAlias = Literal["error", "warning", "info"]
"""How bad it is: it is wrong, it is probably wrong, it could be better."""
Persona: TypeAlias = Literal["regular", "pedantic"]
"""For whom a finding is: everybody, or those who want to hear all."""

SEVERITIES: Final[Mapping[Severity, int]] = {"error": 2, "warning": 1, "info": 0}
"""Severity -> its rank."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that shows what a finding claims."""

    request: Mapping[str, Any]
    """As `decide` and test files take it."""
    shows: str
    """What happens to it, in a sentence."""
    effect: str | None = None
    """What is decided; None where that is not the point."""
    speaks: tuple[str, ...] = ()
    """Names that stand in the reasons of the decision."""
    silent: tuple[str, ...] = ()
    """Names that do not."""
    labels: tuple[str, ...] = ()
    """What the session carries."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """How many calls of each tool returned in the session."""
    told: tuple[tuple[Node, bool], ...] = field(default=(), compare=False, repr=False)
    """Parts of a condition, and how each comes out."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """A piece of a file, and what to put in its place."""

    path: str
    start: int
    """Where the piece starts in the text, in code points."""
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a policy could do better."""

    location: Location
    code: str
    """Such as PE207; the code of a rule is never reused."""
    severity: Severity
    message: str
    """Lower-case, no final period, the offending text in double quotes."""
    hint: str | None = None
    """What to do."""
    source_line: str = ""
    """The line of the file, for the caret."""
    length: int = 1
    """How many characters the caret underlines."""
    witness: Witness | None = None
    edits: tuple[Edit, ...] = ()
    """What `--fix` does about it; empty where a person must decide."""
    begins: int | None = None
    """The line that the value begins in, where what is meant stands below."""

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """What findings are sorted by."""
        place = self.location
        return (place.path, place.line, place.column, self.code, self.message)
