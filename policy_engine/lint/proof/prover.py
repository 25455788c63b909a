"""The door to z3: what comparisons of several values rule out, where the extra is installed.

Integers are exact in both worlds; an overflow cannot be told, so it neither makes a condition
true nor false. Of doubles only comparisons are handed over, and no arithmetic, which rounds. What
a few guesses show to be possible is not handed over at all.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from policy_engine.cel import DOUBLE, INT
from policy_engine.cel.nodes import Call, Node
from policy_engine.lint.proof.formula import (
    FLIPPED,
    Clause,
    Term,
    canonical,
    constant,
    term,
)
from policy_engine.lint.proof.guess import Asked, Ends, is_met
from policy_engine.lint.proof.values import Values

__all__ = ["is_installed", "refutes"]

_STEPS: Final = 200_000
"""So much work a case may take, as z3 counts it; what is not refuted by then is possible."""
_COMPARED: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
_NUMBERS: Final = frozenset({INT, DOUBLE})
_ARITHMETIC: Final = {"+": (2,), "-": (1, 2), "*": (2,)}
"""What integers are calculated with, and of how many values."""
_MOST_KNOWN: Final = 4096
_KNOWN: Final[dict[object, bool]] = {}


@lru_cache(maxsize=1)
def _z3() -> Any:
    try:
        module = import_module("z3")
    except ImportError:
        return None
    return module if hasattr(module, "Solver") else None  # a folder of that name is no z3


def is_installed() -> bool:
    """Whether the extra `prove` is there."""
    return _z3() is not None


def refutes(clauses: Sequence[Clause], base: Callable[[Term], Values]) -> bool:
    """Whether tests certainly cannot hold together, as far as they compare numbers."""
    compared = [one for one in clauses if one.atom.kind == "other" and _compares(one.node)]
    if not compared or not is_installed():
        return False
    kinds: dict[Term, Any] = {}
    asked = [
        Asked(one.node, _says(one, one.node))
        for one in clauses
        if isinstance(one.node, Call) and _compares(one.node) and _reads(one.node, kinds)
    ]
    ends = {path: _ends(base(path), kind) for path, kind in kinds.items()}
    key = (
        tuple((canonical(one.node), one.holds) for one in asked),
        tuple(ends.items()),
    )
    known = _KNOWN.get(key)
    if known is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[key] = not is_met(asked, ends) and _World(_z3(), ends).refutes(asked)
    return known


def _compares(node: Node) -> bool:
    return isinstance(node, Call) and node.function in _COMPARED and len(node.arguments) == 2


def _says(one: Clause, node: Call) -> bool:
    """Whether the clause means the comparison as it is written, or its opposite."""
    operator = node.function
    if not one.atom.term:
        return one.holds is (operator in {"<", ">", "=="})
    if term(node.arguments[0]) != one.atom.term:
        operator = FLIPPED.get(operator, operator)  # the constant stands in front
    return one.holds is (operator in {"<", "<=", "=="})


def _reads(node: Call, kinds: dict[Term, Any]) -> bool:
    """Whether both sides are numbers that can be reasoned about; the values read are added."""
    found: dict[Term, Any] = {}
    if not all(_is_number(part, found) for part in node.arguments):
        return False
    kinds.update(found)
    return True


def _is_number(node: Node, found: dict[Term, Any]) -> bool:
    kind, value = getattr(node, "type", None), constant(node)
    if isinstance(value, int | float):
        return not isinstance(value, bool) and value == value  # noqa: PLR0124 - NaN
    path = term(node)
    if path is not None:
        found[path] = kind
        return kind in _NUMBERS
    return (
        isinstance(node, Call)
        and kind == INT
        and len(node.arguments) in _ARITHMETIC.get(node.function, ())
        and all(_is_number(part, found) for part in node.arguments)
    )


def _ends(values: Values, kind: Any) -> Ends:
    return Ends(*values.lowest, *values.highest, is_whole=kind == INT)


class _World:
    """The variables of one case."""

    def __init__(self, z3: Any, ends: Mapping[Term, Ends]) -> None:
        self.z3 = z3
        self.ends = ends
        self.known = {
            path: (z3.Int if one.is_whole else z3.Real)(".".join(path))
            for path, one in ends.items()
        }

    def refutes(self, asked: Sequence[Asked]) -> bool:
        """Whether comparisons certainly cannot come out so together."""
        solver = self.z3.Solver()
        solver.set("rlimit", _STEPS)
        solver.add(*(self._comparison(one) for one in asked), *self._limits())
        return bool(solver.check() == self.z3.unsat)

    def _comparison(self, one: Asked) -> Any:
        left, right = (self._number(part) for part in one.node.arguments)
        said = {
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
            "==": left == right,
            "!=": left != right,
        }[one.node.function]
        return said if one.holds else self.z3.Not(said)

    def _number(self, node: Node) -> Any:
        """Return a sum, a product or a value as z3 reads it."""
        value = constant(node)
        if isinstance(value, int):
            return self.z3.IntVal(value)
        if isinstance(value, float):
            return self.z3.RealVal(repr(value))
        path = term(node)
        if path is not None:
            return self.known[path]
        assert isinstance(node, Call)  # noqa: S101 - asked before
        parts = [self._number(part) for part in node.arguments]
        match node.function, parts:
            case "+", [a, b]:
                return a + b
            case "-", [a, b]:
                return a - b
            case "*", [a, b]:
                return a * b
        return -parts[0]

    def _limits(self) -> list[Any]:
        """Return the bounds of every value that was read."""
        found = []
        for path, variable in self.known.items():
            ends = self.ends[path]
            if ends.low > float("-inf"):
                low = self.z3.RealVal(repr(ends.low))
                found.append(variable > low if ends.low_open else variable >= low)
            if ends.high < float("inf"):
                high = self.z3.RealVal(repr(ends.high))
                found.append(variable < high if ends.high_open else variable <= high)
        return found
