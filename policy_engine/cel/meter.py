"""What one evaluation may cost."""

from typing import Final

from policy_engine.cel.problems import EvaluationError

__all__ = ["MAX_GROWTH", "MAX_ROWS", "Meter"]

MAX_ROWS: Final = 10_000
"""How many elements the macros of one evaluation go over."""
MAX_GROWTH: Final = 1_048_576
"""How many characters and elements one evaluation builds."""


class Meter:
    """What one evaluation has left."""

    __slots__ = ("growth", "rows")

    def __init__(self) -> None:
        self.rows = MAX_ROWS
        self.growth = MAX_GROWTH

    def step(self, count: int) -> None:
        """Take away elements that a macro goes over."""
        self.rows -= count
        if self.rows < 0:
            raise EvaluationError(f"more than {MAX_ROWS} iterations")

    def grow(self, size: int) -> None:
        """Take away characters or elements before they are built."""
        self.growth -= size
        if self.growth < 0:
            raise EvaluationError(f"more than {MAX_GROWTH} characters and elements")
