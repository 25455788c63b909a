"""One scan of a text for every pattern of every rule."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from policy_engine.errors import CheckError
from policy_engine.text.linear import LinearEngine, scrub

__all__ = ["CONTROLS", "Engine", "Match", "Pattern", "Scanner"]

CONTROLS: Final = -1
"""The id under which a scan reports control characters: the text has another skeleton."""

_CONTROL_CHARACTERS: Final = r"[\x00-\x08\x0e-\x1f\x7f]"
_TIMEOUT: Final = 0.05
"""Seconds that a backtracking search may take."""


class Match(Protocol):
    """Where a pattern was found."""

    def start(self) -> int:
        """The first character's offset."""

    def end(self) -> int:
        """The offset after the last character."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern."""

    id: int
    expression: str
    caseless: bool
    backtracks: bool
    compiled: object = field(compare=False, repr=False)
    """The expression compiled alone, which tells where it was found."""


class Engine(Protocol):
    """What finds which of many patterns match."""

    def scan(self, text: str) -> list[int]:
        """Return the ids of the patterns found, in any order, perhaps repeated."""


class Scanner:
    """All patterns of a policy set, ready to be searched for."""

    __slots__ = ("_engine", "_linear", "_patterns", "backtracking", "caseless", "is_warm", "scan")

    def __init__(self, patterns: tuple[Pattern, ...]) -> None:
        self._patterns = patterns
        self.caseless = frozenset(pattern.id for pattern in patterns if pattern.caseless)
        """The ids of the patterns that ignore case."""
        self.backtracking = frozenset(pattern.id for pattern in patterns if pattern.backtracks)
        """The ids of the patterns that run in the engine that can be slow."""
        self._linear = (
            (CONTROLS, _CONTROL_CHARACTERS, False),
            *(
                (pattern.id, pattern.expression, pattern.caseless)
                for pattern in patterns
                if not pattern.backtracks
            ),
        )
        self._engine: Engine = LinearEngine(self._linear)
        self.scan = self._engine.scan
        """Returns the ids of the linear patterns found in one text, with `CONTROLS`; raises
        `CheckError` where the engine could not tell."""
        self.is_warm = False
        """Whether the fast engine is in use."""

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """The patterns, by their ids."""
        return self._patterns

    def warm(self) -> None:
        """Build the fast engine and take it into use; where there is none, change nothing."""
        if self.is_warm:
            return
        try:
            # Late, because the import takes 15 ms that a cold start does without, and because
            # the library is missing on some platforms.
            automaton = importlib.import_module("policy_engine.text.automaton")
        except ImportError:
            return
        self._engine = automaton.AutomatonEngine(self._linear)
        self.scan = self._engine.scan
        self.is_warm = True

    def find(self, pattern: int, text: str) -> Iterator[Match]:
        """Yield where one pattern is found in one text, from left to right.

        Raises:
            CheckError: The search took too long, or failed.
        """
        which = self._patterns[pattern]
        compiled = which.compiled
        try:
            if which.backtracks:
                yield from compiled.finditer(text, timeout=_TIMEOUT)  # type: ignore[attr-defined]
            else:
                clean = text if text.isascii() else scrub(text)
                yield from compiled.finditer(clean)  # type: ignore[attr-defined]
        except Exception as error:
            raise CheckError(
                f'the pattern "{which.expression}" could not be searched for'
            ) from error
