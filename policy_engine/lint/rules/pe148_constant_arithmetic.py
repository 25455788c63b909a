"""A calculation whose comparison is decided beforehand.

What it does:
    Reports a comparison of a quotient, a remainder, a product or a sum that can never be true, or
    is always true, for the values that the schemas accept: `args.amount / 1000 > 0` where the
    amount is a whole number up to 500, `args.n % 1 == 0`, `args.amount * 0 > 1`.

Why:
    Whole numbers divide to whole numbers: 999 / 1000 is 0. The rule reads like a bound and has
    none.

Fails:
    tools:
      pay:
        args: {amount: {type: integer, minimum: 0, maximum: 500}}
        rules:
          - {id: thousands, when: args.amount / 1000 > 0, effect: deny}
    ---
    tools:
      deal:
        args: {cards: {type: integer, minimum: 0, maximum: 500}}
        rules:
          - {id: even, when: args.cards % 2 == 2, effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: integer, minimum: 0, maximum: 5000}}
        rules:
          - {id: thousands, when: args.amount / 1000 > 0, effect: deny}
    ---
    tools:
      deal:
        args: {cards: {type: integer, minimum: 0, maximum: 500}}
        rules:
          - {id: odd, when: args.cards % 2 == 1, effect: deny}

Fix:
    Compare the argument itself, or divide by a number with a point: `/ 1000.0`.
"""

import math
from collections.abc import Iterator
from typing import Final, TypeAlias

from policy_engine.cel import DOUBLE, INT
from policy_engine.cel.nodes import Call, Node
from policy_engine.lint.places import nodes, piece
from policy_engine.lint.proof.formula import Clause, clauses, constant, formula, term
from policy_engine.lint.proof.scene import Scene, scenes
from policy_engine.lint.proof.solve import is_impossible
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]

Interval: TypeAlias = tuple[float, float]
_COMPARED: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
_CALCULATED: Final = frozenset({"+", "-", "*", "/", "%"})
_EXACT: Final = 2**53
"""Up to here every whole number is a double."""


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None:
            continue
        asked = [clause for clause in clauses(formula(condition.tree)) if _calculates(clause.node)]
        places = scenes(subject, found) if asked else []
        for clause in asked if places else ():
            settled = {_settled(clause.node, place) for place in places}
            if len(settled) != 1 or None in settled or _is_known(clause, places):
                continue
            yield _found(found, clause, places[0], always=True in settled)


def _calculates(node: Node) -> bool:
    return (
        isinstance(node, Call)
        and node.function in _COMPARED
        and any(_is_calculation(part) for part in nodes(node))
    )


def _is_calculation(node: Node) -> bool:
    return isinstance(node, Call) and node.function in _CALCULATED and len(node.arguments) == 2


def _is_known(clause: Clause, places: list[Scene]) -> bool:
    """Whether the rules about impossible and constant conditions see it, too."""
    return any(
        all(is_impossible(Clause(clause.atom, holds, clause.node), base=p.base) for p in places)
        for holds in (True, False)
    )


def _settled(node: Node, place: Scene) -> bool | None:
    """Return how a comparison always comes out; None where that depends."""
    assert isinstance(node, Call)  # noqa: S101 - asked before
    left, right = (_interval(part, place) for part in node.arguments)
    if left is None or right is None:
        return None
    (a, b), (c, d) = left, right
    match node.function:
        case "<":
            return True if b < c else False if a >= d else None
        case "<=":
            return True if b <= c else False if a > d else None
        case ">":
            return True if a > d else False if b <= c else None
        case ">=":
            return True if a >= d else False if b < c else None
    apart, same = b < c or d < a, a == b == c == d
    if not apart and not same:
        return None
    return same is (node.function == "==")


def _interval(node: Node, place: Scene) -> Interval | None:
    """Return between which numbers a part always is."""
    value = constant(node)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (float(value), float(value)) if abs(value) <= _EXACT else None
    kind, path = getattr(node, "type", None), term(node)
    if kind not in {DOUBLE, INT}:
        return None
    if path is not None:
        values = place.base(path)
        return (values.lowest[0], values.highest[0]) if path[0] != "now" or path[1:] else None
    if not isinstance(node, Call) or not _is_calculation(node):
        return None
    left, right = (_interval(part, place) for part in node.arguments)
    if left is None or right is None:
        return None
    found = _calculated(node.function, left, right, whole=kind == INT)
    ends = [end for end in found or () if math.isfinite(end)]
    return found if found is not None and all(abs(end) <= _EXACT for end in ends) else None


def _calculated(function: str, left: Interval, right: Interval, *, whole: bool) -> Interval | None:
    (a, b), (c, d) = left, right
    match function:
        case "+":
            return a + c, b + d
        case "-":
            return a - d, b - c
        case "*":
            found = [_product(x, y) for x in left for y in right]
            return min(found), max(found)
        case "/" if c == d and c != 0:
            found = [_quotient(a, c, whole=whole), _quotient(b, c, whole=whole)]
            return min(found), max(found)
        case "%" if whole and c == d and c != 0:
            most = abs(c) - 1
            low = 0.0 if a >= 0 else max(a, -most)
            return low, 0.0 if b <= 0 else min(b, most)
    return None


def _product(x: float, y: float) -> float:
    return 0.0 if 0 in {x, y} else x * y


def _quotient(x: float, by: float, *, whole: bool) -> float:
    if math.isinf(x):
        return x * by
    return float(math.trunc(x / by)) if whole else x / by


def _found(found: PlacedCondition, clause: Clause, scene: Scene, *, always: bool) -> Found:
    node = clause.node
    text = piece(found, node)
    divides = any(
        isinstance(part, Call) and part.function == "/" and part.type == INT for part in nodes(node)
    )
    said = "always" if always else "never"
    return Found(
        found.policy,
        found.path,
        f'"{text}" is {said} true in "{found.placed.rule.id}"',
        "whole numbers divide to whole numbers: compare the argument itself, or divide by `10.0`"
        if divides
        else "compare the argument itself",
        part=(node.start, node.end),
        witness=scene.show(
            shows=f'"{text}" is {str(always).lower()} here, as always', told=((node, always),)
        ),
    )


RULE: Final = LintRule("PE148", "constant-arithmetic", "error", __doc__ or "", _find, proves=True)
