"""When a condition may be true, or certainly is, where some of what it reads cannot be told.

Theory of operation. A part of a condition cannot be told for reasons: a value is not there, a fact
failed, a sum is too large. Each reason is a part of a formula of its own, which may hold or not.
`perhaps` says when a condition has an outcome or cannot be told, and counts every reason there may
be; `surely` says when it is told and has it, and counts only the reasons that certainly keep it
from being told. So whatever is impossible of the two is so of every request.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.cel import BOOL, DOUBLE, DYN, INT, STRING
from policy_engine.cel.nodes import (
    And,
    Call,
    Conditional,
    Has,
    ListItems,
    Literal,
    Local,
    Loop,
    Node,
    Not,
    Or,
    children,
    walk,
)
from policy_engine.lint.proof.bounds import whole_interval
from policy_engine.lint.proof.formula import (
    Atom,
    Clause,
    Formula,
    Group,
    Term,
    canonical,
    constant,
    formula,
    opposite,
    term,
)
from policy_engine.lint.proof.scene import Scene
from policy_engine.lint.proof.schema import ELEMENT

__all__ = ["can_be_untold", "perhaps", "surely"]

_NOWHERE: Final = Node(0, 0)
_LARGEST: Final = 2**63 - 1
_ALWAYS: Final = frozenset({("tool",), ("stage",), ("now",)})
"""What every request has."""
_SAFE: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"})
"""Comparisons, which are told of what has a declared type."""
_OF_TEXTS: Final = frozenset({"startsWith", "endsWith", "contains", "size"})
_PLAIN: Final = frozenset({BOOL, DOUBLE, INT, STRING})
_LAZY: Final = (Has, Loop, Conditional, And, Or)
_ROUNDED: Final = frozenset({"+", "-", "*", "/"})
"""What doubles are calculated with, which always yields something."""
_FEW: Final = 1_000
"""So many elements of a list are always gone through."""


def perhaps(node: Node, scene: Scene, *, holds: bool = True) -> Formula:
    """Return when a condition may have an outcome, or cannot be told."""
    match node:
        case Not(operand=operand):
            return perhaps(operand, scene, holds=not holds)
        case And(terms=terms) | Or(terms=terms):
            parts = tuple(perhaps(one, scene, holds=holds) for one in terms)
            return Group(isinstance(node, And) is holds, parts)
        case Conditional(test=test, then=then, otherwise=otherwise):
            yes = Group(True, (perhaps(test, scene), perhaps(then, scene, holds=holds)))
            no = (perhaps(test, scene, holds=False), perhaps(otherwise, scene, holds=holds))
            return Group(False, (yes, Group(True, no), *_whys(test, scene)))
    told = formula(node, holds=holds)
    reasons = tuple(_whys(node, scene))
    return Group(False, (told, *reasons)) if reasons else told


def surely(node: Node, scene: Scene, *, holds: bool = True) -> Formula:
    """Return when a condition is told, and has an outcome."""
    match node:
        case Not(operand=operand):
            return surely(operand, scene, holds=not holds)
        case And(terms=terms) | Or(terms=terms):
            parts = tuple(surely(one, scene, holds=holds) for one in terms)
            return Group(isinstance(node, And) is holds, parts)
        case Conditional(test=test, then=then, otherwise=otherwise):
            yes = Group(True, (surely(test, scene), surely(then, scene, holds=holds)))
            no = (surely(test, scene, holds=False), surely(otherwise, scene, holds=holds))
            return Group(False, (yes, Group(True, no)))
    reasons = tuple(opposite(one) for one in _whys(node, scene, certain=True))
    told = formula(node, holds=holds)
    return Group(True, (told, *reasons)) if reasons else told


def can_be_untold(node: Node, scene: Scene) -> bool:
    """Whether there may be a request of which a condition cannot be told."""
    return next(_reasons(node, scene, certain=False), None) is not None


def _whys(node: Node, scene: Scene, *, certain: bool = False) -> Iterator[Formula]:
    yield from {one.atom.key: one for one in _reasons(node, scene, certain=certain)}.values()


def _reasons(node: Node, scene: Scene, *, certain: bool) -> Iterator[Clause]:
    """Go through the reasons why a part cannot be told.

    Args:
        node: The part.
        scene: Where it is looked at.
        certain: Whether only reasons are wanted that certainly keep it from being told.
    """
    path = term(node)
    if path is not None and not isinstance(node, Call):
        yield from _of_reading(path, node, scene)
        return
    if isinstance(node, Literal | Local):
        return  # an element is looked at with its list
    if certain and isinstance(node, _LAZY):
        return  # what stands in them is not always looked at
    if isinstance(node, Has):
        yield from _of_asking(node, scene)
        return
    match node:
        case Loop():
            yield from _of_loop(node, scene)
        case Call():
            yield from _of_call(node, scene, certain=certain)
        case Not() | And() | Or() | Conditional() | ListItems():
            yield from _of_parts(node, scene, certain=certain)
        case _ if not certain:
            yield _said("other", node)
            yield from _of_parts(node, scene, certain=False)


def _of_parts(node: Node, scene: Scene, *, certain: bool) -> Iterator[Clause]:
    for part in children(node):
        yield from _reasons(part, scene, certain=certain)


def _of_asking(node: Has, scene: Scene) -> Iterator[Clause]:
    """Go through the reasons why it cannot be told whether a value is there."""
    inner = term(node.operand)
    if inner is None:
        yield _said("has", node)
    elif inner != ("args",):
        yield from _of_reading(inner, node.operand, scene)
    if inner is None or not _is_sound((*inner, node.field), scene):
        yield _said("type", node)


def _of_reading(path: Term, node: Node, scene: Scene) -> Iterator[Clause]:
    """Go through the reasons why a value cannot be read."""
    kind = getattr(node, "type", DYN)
    if path in _ALWAYS:
        return
    if path[0] == "args" and ELEMENT not in path and len(path) > 1:
        if not scene.base(path).boxes or not all(box.present for box in scene.base(path).boxes):
            yield Clause(Atom(path, "present"), False, node)
        if not _is_sound(path, scene):
            yield _named("type", path)
        if kind in {INT, DOUBLE} and not _is_bounded(path, scene):
            yield _named("range", path)
        return
    for end in range(1, len(path) + 1):
        yield _named("read", path[:end])


def _is_sound(path: Term, scene: Scene) -> bool:
    """Whether the entry has seen to it that an argument, or a part of one, is of its type."""
    return path[0] == "args" and all(
        scene.schemas(path[:end]) and None not in scene.schemas(path[:end])
        for end in range(2, len(path) + 1)
    )


def _is_bounded(path: Term, scene: Scene) -> bool:
    """Whether every number is one that conditions calculate with."""
    values = scene.base(path)
    return values.lowest[0] >= -_LARGEST and values.highest[0] <= _LARGEST


def _of_loop(node: Loop, scene: Scene) -> Iterator[Clause]:
    for part in children(node):
        yield from _reasons(part, scene, certain=False)
    over = term(node.range)
    is_plain = node.kind in {"all", "exists"} and over is not None
    if over is None or not is_plain or any(isinstance(one, Loop) for one in walk(node)[1:]):
        yield _said("steps", node)
        return
    inner = (*over, ELEMENT)
    if not _is_sound(inner, scene) or scene.base(("size", *over)).highest[0] > _FEW:
        yield _said("steps", node)
    elif not _is_bounded(inner, scene) and _may_be_number(inner, scene):
        yield _said("range", node)


def _may_be_number(path: Term, scene: Scene) -> bool:
    return not all(box.kind in {"string", "bool"} for box in scene.base(path).boxes)


def _of_call(node: Call, scene: Scene, *, certain: bool) -> Iterator[Clause]:
    for part in node.arguments:
        yield from _reasons(part, scene, certain=certain)
    if node.function == "matches" and isinstance(constant(node.arguments[1]), str):
        yield _said("text", node.arguments[0])  # halves of pairs are no text for any pattern
    elif not _is_told(node, scene):
        yield _said("call", node)  # equal calls of equal values come out alike


def _is_told(node: Call, scene: Scene) -> bool:
    """Whether a function yields something wherever there is something to ask it of."""
    name, kinds = node.function, {getattr(part, "type", DYN) for part in node.arguments}
    if name in {"==", "!="}:
        return True
    if name == "in":
        return isinstance(constant(node.arguments[1]), list | tuple) or DYN not in kinds
    if name in _SAFE:
        return kinds <= {INT, DOUBLE} or (len(kinds) == 1 and kinds <= _PLAIN)
    if name in _OF_TEXTS:
        return kinds == {STRING} or (name == "size" and DYN not in kinds)
    path = term(node)
    if path is not None and path[0] == "now":
        return True
    if node.type == DOUBLE and name in _ROUNDED and kinds <= {INT, DOUBLE}:
        return True
    return node.type == INT and whole_interval(node, scene.base) is not None


def _said(why: str, node: Node) -> Clause:
    return Clause(Atom((), "other", f"untold {why} {canonical(node)}"), True, _NOWHERE)


def _named(why: str, path: Term) -> Clause:
    return Clause(Atom((), "other", f"untold {why} {'.'.join(path)}"), True, _NOWHERE)
