"""Numbers that make comparisons hold: where some are found, nothing needs to be proved.

Most tests of several numbers can hold together, and a few guesses show it much sooner than z3.
What is tried depends on the comparisons alone, so that the answer is always the same.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from policy_engine.cel import INT
from policy_engine.cel.nodes import Call, Node
from policy_engine.lint.proof.formula import Term, constant, term

__all__ = ["Asked", "Ends", "is_met"]

_MOST: Final = 96
"""So many choices of numbers are tried."""
_FAR: Final = 1_000_000
Number: TypeAlias = int | float
Numbers: TypeAlias = dict[Term, Number]


@dataclass(frozen=True, slots=True)
class Ends:
    """Between which numbers a value is."""

    low: float
    low_open: bool
    high: float
    high_open: bool
    is_whole: bool

    def has(self, value: float) -> bool:
        """Whether a number is between them."""
        above = value > self.low or (value == self.low and not self.low_open)
        return above and (value < self.high or (value == self.high and not self.high_open))


@dataclass(frozen=True, slots=True)
class Asked:
    """A comparison, and whether it is to hold."""

    node: Call
    holds: bool


def is_met(asked: Sequence[Asked], ends: Mapping[Term, Ends]) -> bool:
    """Whether some numbers within their ends were found that make all comparisons come out."""
    return any(
        all(_compare(one.node, numbers) is one.holds for one in asked) for numbers in _tried(ends)
    )


def _tried(ends: Mapping[Term, Ends]) -> Iterator[Numbers]:
    options = {path: _options(one) for path, one in ends.items()}
    if not all(options.values()):
        return
    dice = random.Random(len(ends))  # noqa: S311 - the same choices every time
    for turn in range(_MOST):
        yield {
            path: found[turn % len(found)] if turn < _EVEN else _drawn(ends[path], found, dice)
            for path, found in options.items()
        }


_EVEN: Final = 6
"""So many choices are alike for every value."""


def _options(ends: Ends) -> list[Number]:
    """Return numbers at the ends of a value and near them."""
    low = ends.low if ends.low > -math.inf else min(ends.high, _FAR) - 2 * _FAR
    high = ends.high if ends.high < math.inf else max(ends.low, -_FAR) + 2 * _FAR
    near: list[Number] = [high, low, low + 1, high - 1, (low + high) / 2, 0, 1]
    if ends.is_whole:
        near = [math.floor(one) for one in near]
    return [one for one in dict.fromkeys(near) if ends.has(one)]


def _drawn(ends: Ends, options: list[Number], dice: random.Random) -> Number:
    low, high = min(options), max(options)
    if dice.random() < 0.4 or low == high:
        return dice.choice(options)
    value: Number = dice.randint(int(low), int(high)) if ends.is_whole else dice.uniform(low, high)
    return value if ends.has(value) else dice.choice(options)


def _compare(node: Call, numbers: Numbers) -> bool:
    left, right = (_number(part, numbers) for part in node.arguments)
    match node.function:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "==":
            return left == right
    return left != right


def _number(node: Node, numbers: Numbers) -> Number:
    value = constant(node)
    if isinstance(value, int | float):
        return value
    path = term(node)
    if path is not None:
        return numbers[path]
    assert isinstance(node, Call) and node.type == INT  # noqa: S101, PT018 - as the prover reads
    parts = [_number(part, numbers) for part in node.arguments]
    if len(parts) == 1:
        return -parts[0]
    match node.function:
        case "+":
            return parts[0] + parts[1]
        case "-":
            return parts[0] - parts[1]
    return parts[0] * parts[1]
