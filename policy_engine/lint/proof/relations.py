"""What a test of a calculation says of its result, and a comparison of the order of its sides.

A part of a condition has one value wherever it stands, so that two tests of equal parts exclude
each other as tests of one value do: `args.n % 2 == 0` and `args.n % 2 == 1`.
"""

from functools import lru_cache
from typing import Final

from policy_engine.cel import DOUBLE, INT, STRING
from policy_engine.cel.nodes import Call, Literal, Node
from policy_engine.lint.proof.formula import (
    FLIPPED,
    PIECES,
    Atom,
    Clause,
    canonical,
    constant,
    is_scalar,
    kind_of,
    term,
)
from policy_engine.lint.proof.same_node import Same
from policy_engine.lint.proof.values import Values

__all__ = ["Relation", "order_of", "relation", "says"]

Relation = tuple[Atom, bool]
"""A test of a result, and whether it holds."""
_COMPARED: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
_BEFORE: Final = "before"
_EQUAL: Final = "equal"
_BEHIND: Final = "behind"
_NEITHER: Final = "neither"
"""How two values stand to each other; what is no number, and what has another type, neither."""
_ORDERED: Final = frozenset({INT, STRING})
_RESULT: Final = "="


def says(clause: Clause) -> bool:
    """Whether a part that is not understood is true where its clause is met."""
    node = clause.node
    if not isinstance(node, Call) or node.function not in _COMPARED or len(node.arguments) != 2:
        return clause.holds
    return clause.holds is (node.function in {"<", ">", "=="})


def relation(clause: Clause) -> Relation | None:
    """Return what a part that is not understood says of a result or an order."""
    found = _relation(Same(clause.node))
    if found is None:
        return None
    atom, sense = found
    return atom, sense is says(clause)


@lru_cache(maxsize=4096)
def _relation(same: Same) -> Relation | None:
    match same.node:
        case Call(function="==" | "!=" as operator, arguments=(left, right)):
            return _compared(left, right, "==", sense=operator == "==")
        case Call(function="<" | ">" as operator, arguments=(left, right)):
            return _compared(left, right, operator, sense=True)
        case Call(function="<=" | ">=" as operator, arguments=(left, right)):
            # Of what is no number neither holds, so that they are no opposites.
            return _compared(left, right, operator, sense=True)
        case Call(function="in", arguments=(left, right)):
            values = constant(right)
            if isinstance(values, list | tuple) and all(map(is_scalar, values)):
                return Atom(_result(left), "in", tuple(values), kind_of(left)), True
        case Call(function=name, arguments=(left, right)) if name in PIECES:
            text = constant(right)
            if isinstance(text, str):
                return Atom(_result(left), PIECES[name], text, "string"), True
    return None


def _compared(left: Node, right: Node, operator: str, *, sense: bool) -> Relation | None:
    for read, written, said in (
        (left, right, operator),
        (right, left, FLIPPED.get(operator, operator)),
    ):
        value = _written(written)
        if value is None:
            continue
        kind = kind_of(read)
        if said == "==":
            return Atom(_result(read), "==", value, kind), sense
        if kind != "integer" or not isinstance(value, int | float) or isinstance(value, bool):
            return None
        if said in {"<", "<="}:
            return Atom(_result(read), said, value, kind), sense
        return Atom(_result(read), "<=" if said == ">" else "<", value, kind), not sense
    return _order(left, right, operator, sense=sense)


def _written(node: Node) -> str | int | float | None:
    """Return a constant, or the name of a type, as a value that can be compared."""
    value = constant(node)
    if isinstance(node, Literal) and str(node.type) == "type":
        return f"type {value}"
    return value if isinstance(value, str | int | float) and is_scalar(value) else None


def _order(left: Node, right: Node, operator: str, *, sense: bool) -> Relation:
    first, second = canonical(left), canonical(right)
    if second < first:
        first, second, operator = second, first, FLIPPED.get(operator, operator)
    sure = _is_ordered(left) and _is_ordered(right)
    place = (_RESULT, "order" if sure else "order or none", first, second)
    return Atom(place, "in", _HOLDING[operator], "string"), sense


_HOLDING: Final = {
    "<": (_BEFORE,),
    "<=": (_BEFORE, _EQUAL),
    ">": (_BEHIND,),
    ">=": (_BEHIND, _EQUAL),
    "==": (_EQUAL,),
}


def _is_ordered(node: Node) -> bool:
    """Whether one of two such values is before the other, or they are equal."""
    kind = getattr(node, "type", None)
    return kind in _ORDERED or (kind == DOUBLE and term(node) is not None)


def _result(node: Node) -> tuple[str, ...]:
    return (_RESULT, canonical(node))


def order_of(place: tuple[str, ...]) -> Values:
    """Return what a result may be before anything is tested."""
    values = Values()
    if len(place) > 2:
        more = () if place[1] == "order" else (_NEITHER,)
        values.choose([_BEFORE, _EQUAL, _BEHIND, *more])
    return values
