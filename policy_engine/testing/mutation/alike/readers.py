"""Conditions that read a number alike, whether it is declared to be one or not.

A number that is declared is read as a double, or as a whole number; one that is not is read as it
came. Comparisons with numbers, and calculations with doubles, come to the same of either.
"""

from typing import Final

from policy_engine.cel import DOUBLE, INT
from policy_engine.cel.nodes import (
    Call,
    Has,
    Loop,
    Node,
    Select,
    VariableRead,
    children,
)
from policy_engine.lint.proof.formula import Term, constant, term
from policy_engine.testing.mutation.alike.elements import of_element

__all__ = ["reads_alike", "touches"]

_COMPARED: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
_CALCULATED: Final = frozenset({"+", "-", "*", "/"})


def reads_alike(node: Node, path: Term) -> bool:
    """Whether a part of a condition comes to the same for a number of either type.

    Args:
        node: The part.
        path: Where the number stands.
    """
    match node:
        case Call(function=name, arguments=(left, right)) if name in _COMPARED | _CALCULATED:
            kinds = {DOUBLE, INT} if name in _COMPARED else {DOUBLE}
            for mine, other in ((left, right), (right, left)):
                if term(mine) == path:
                    return other.type in kinds and not touches(other, path)  # type: ignore[attr-defined]
        case Call(function="in", arguments=(item, over)) if term(item) == path:
            element = getattr(getattr(over, "type", None), "element", None)
            is_listed = isinstance(constant(over), list | tuple) or element in {INT, DOUBLE}
            return is_listed and not touches(over, path)
        case Call(function="double", arguments=(operand,)) if term(operand) == path:
            return True
        case Call(function="size", arguments=(Loop(kind="filter") as inner,)):
            return _in_loop(inner, path)
        case Has(operand=operand, field=name):
            above = term(operand)
            return not touches(operand, path) if above is None else True
        case Loop(kind="all" | "exists" | "exists_one"):
            return _in_loop(node, path)
    if term(node) is not None:
        return not touches(node, path)
    return all(reads_alike(child, path) for child in children(node))


def _in_loop(node: Loop, path: Term) -> bool:
    body = of_element(node, path)
    if body is not None:
        return reads_alike(body, path)
    return all(reads_alike(child, path) for child in children(node))


def touches(node: Node, path: Term) -> bool:
    """Whether a part of a condition reads a value, what it is in, or what is in it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        read = term(one) if isinstance(one, VariableRead | Select) else None
        if read is not None and read[: len(path)] == path[: len(read)]:
            return True
        if read is None:
            waiting.extend(children(one))
    return False
