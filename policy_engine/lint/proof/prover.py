"""The door to z3: what comparisons of several values rule out, where the extra is installed.

Integers are exact in both worlds; an overflow cannot be told, so it neither makes a condition
true nor false. Of doubles only comparisons are handed over, and no arithmetic, which rounds.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from policy_engine.cel import DOUBLE, INT
from policy_engine.cel.nodes import Call, Node
from policy_engine.lint.proof.formula import FLIPPED, Clause, Term, constant, term
from policy_engine.lint.proof.values import Values

__all__ = ["is_installed", "refutes"]

_MILLISECONDS: Final = 200
"""So long a case may take; what is not refuted by then is taken for possible."""
_COMPARED: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
_NUMBERS: Final = {INT: "integer", DOUBLE: "number"}


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
    world = _World(_z3(), base)
    solver = world.z3.Solver()
    solver.set("timeout", _MILLISECONDS)
    for one in clauses:
        said = world.clause(one)
        if said is not None:
            solver.add(said)
    for limit in world.limits():
        solver.add(limit)
    return bool(solver.check() == world.z3.unsat)


def _compares(node: Node) -> bool:
    return isinstance(node, Call) and node.function in _COMPARED and len(node.arguments) == 2


class _World:
    """The variables of one case."""

    def __init__(self, z3: Any, base: Callable[[Term], Values]) -> None:
        self.z3 = z3
        self.base = base
        self.known: dict[Term, Any] = {}

    def clause(self, one: Clause) -> Any:
        """Return a test as z3 reads it; None for one that does not compare numbers."""
        node = one.node
        if not isinstance(node, Call) or not _compares(node):
            return None
        left, right = (self.number(part) for part in node.arguments)
        if left is None or right is None:
            return None
        said = {
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
            "==": left == right,
            "!=": left != right,
        }[node.function]
        return said if self._says(one, node) else self.z3.Not(said)

    def _says(self, one: Clause, node: Call) -> bool:
        """Whether the clause means the comparison as it is written, or its opposite."""
        operator = node.function
        if not one.atom.term:
            return one.holds is (operator in {"<", ">", "=="})
        if term(node.arguments[0]) != one.atom.term:
            operator = FLIPPED.get(operator, operator)  # the constant stands in front
        return one.holds is (operator in {"<", "<=", "=="})

    def number(self, node: Node) -> Any:
        """Return a sum, a product or a value as z3 reads it; None for anything else."""
        kind = _NUMBERS.get(getattr(node, "type", None))  # type: ignore[arg-type]
        value = constant(node)
        if isinstance(value, int) and not isinstance(value, bool):
            return self.z3.IntVal(value)
        if isinstance(value, float):
            return self.z3.RealVal(repr(value)) if value == value else None  # noqa: PLR0124 - NaN
        path = term(node)
        if path is not None and kind is not None:
            if path not in self.known:
                make = self.z3.Int if kind == "integer" else self.z3.Real
                self.known[path] = make(".".join(path))
            return self.known[path]
        if isinstance(node, Call) and kind == "integer":
            return self._arithmetic(node)
        return None

    def _arithmetic(self, node: Call) -> Any:
        parts = [self.number(part) for part in node.arguments]
        if any(part is None for part in parts):
            return None
        match node.function, parts:
            case "+", [a, b]:
                return a + b
            case "-", [a, b]:
                return a - b
            case "*", [a, b]:
                return a * b
            case "-", [a]:
                return -a
        return None

    def limits(self) -> list[Any]:
        """Return the bounds of every value that was read."""
        found = []
        for path, variable in self.known.items():
            values = self.base(path)
            (bottom, bottom_open), (top, top_open) = values.lowest, values.highest
            if bottom > float("-inf"):
                low = self.z3.RealVal(repr(bottom))
                found.append(variable > low if bottom_open else variable >= low)
            if top < float("inf"):
                high = self.z3.RealVal(repr(top))
                found.append(variable < high if top_open else variable <= high)
        return found
