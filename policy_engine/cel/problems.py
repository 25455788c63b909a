"""What can be wrong with an expression, and where in its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from policy_engine.errors import PolicyEngineError

__all__ = ["EvaluationError", "ExpressionError", "Problem", "did_you_mean"]

Kind = Literal["syntax", "type", "optional"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that keeps an expression from being used."""

    kind: Kind
    message: str
    """Lower-case, no final period, the offending text in double quotes."""
    offset: int
    """Where it starts, in code points into the text."""
    length: int
    """How many code points it covers."""
    hint: str | None = None
    """What to do, such as `did you mean "amount"?`."""


class ExpressionError(PolicyEngineError):
    """An expression cannot be parsed, or does not fit what it reads."""

    def __init__(self, text: str, problems: Sequence[Problem]) -> None:
        super().__init__(text, problems)
        self.text = text
        """The expression."""
        self.problems = tuple(sorted(set(problems), key=lambda p: (p.offset, p.length, p.message)))
        """All that is wrong with it, in the order of the text."""

    def __str__(self) -> str:
        return "; ".join(
            f"{p.message} (at {p.offset})" + (f": {p.hint}" if p.hint else "")
            for p in self.problems
        )


class EvaluationError(Exception):
    """A value cannot be computed; it never leaves a compiled expression."""


def did_you_mean(word: str, candidates: Sequence[str]) -> str | None:
    """Return a hint that names the candidate nearest to a word, or None."""
    near = get_close_matches(word, candidates, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else None
