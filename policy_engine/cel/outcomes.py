"""Which outcomes a condition can have at all, as far as that is known before any run."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from policy_engine.cel.environment import Environment
from policy_engine.cel.expression import compile_tree
from policy_engine.cel.nodes import (
    And,
    Bind,
    Call,
    Conditional,
    ListItems,
    Literal,
    Local,
    Loop,
    Node,
    Not,
    OptionalMap,
    Or,
    VariableRead,
    children,
)
from policy_engine.cel.values import List, Map

__all__ = ["outcomes"]

Outcomes = frozenset[bool]

_EITHER: Final[Outcomes] = frozenset({True, False})
_NOWHERE: Final = Environment({})


def outcomes(tree: Node, known: Mapping[str, str]) -> Outcomes:
    """Return the outcomes that a condition can have wherever it can be told.

    Args:
        tree: A checked tree.
        known: Variables that have one value only, such as the stage.
    """
    if _is_constant(tree):
        verdict = compile_tree(tree, _NOWHERE, None)(None, None)
        return frozenset() if verdict is None else frozenset({verdict is True})
    find = _WAYS.get(type(tree))
    return _EITHER if find is None else find(tree, known)


def _is_constant(tree: Node) -> bool:
    """Tell whether nothing in a tree comes from outside of it."""
    read: set[int] = set()
    bound: set[int] = set()
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, VariableRead):
            return False
        if isinstance(node, Local):
            read.add(node.slot)
        bound.update(_bound(node))
        pending.extend(children(node))
    return read <= bound


def _bound(node: Node) -> list[int]:
    variables: tuple[Node, ...] = ()
    if isinstance(node, Loop):
        variables = node.variables
    elif isinstance(node, Bind | OptionalMap):
        variables = (node.variable,)
    return [variable.slot for variable in variables if isinstance(variable, Local)]


def _and(node: And, known: Mapping[str, str]) -> Outcomes:
    terms = [outcomes(term, known) for term in node.terms]
    return frozenset(
        outcome
        for outcome, found in ((True, all(True in t for t in terms)), (False, _any(False, terms)))
        if found
    )


def _or(node: Or, known: Mapping[str, str]) -> Outcomes:
    terms = [outcomes(term, known) for term in node.terms]
    return frozenset(
        outcome
        for outcome, found in ((True, _any(True, terms)), (False, all(False in t for t in terms)))
        if found
    )


def _any(outcome: bool, terms: list[Outcomes]) -> bool:  # noqa: FBT001 - it is what is looked for
    return any(outcome in term for term in terms)


def _not(node: Not, known: Mapping[str, str]) -> Outcomes:
    return frozenset(not outcome for outcome in outcomes(node.operand, known))


def _conditional(node: Conditional, known: Mapping[str, str]) -> Outcomes:
    test = outcomes(node.test, known)
    then = outcomes(node.then, known) if True in test else frozenset()
    return then | (outcomes(node.otherwise, known) if False in test else frozenset())


def _call(node: Call, known: Mapping[str, str]) -> Outcomes:
    match node:
        case Call(function="in", arguments=(_, container)) if _is_empty(container):
            return frozenset({False})
        case (
            Call(function="==" | "!=", arguments=(VariableRead(name=name), Literal(value=value)))
            | Call(function="==" | "!=", arguments=(Literal(value=value), VariableRead(name=name)))
        ) if name in known:
            return frozenset({(known[name] == value) is (node.function == "==")})
    return _EITHER


def _loop(node: Loop, known: Mapping[str, str]) -> Outcomes:
    over, condition = node.range, node.condition
    within = _EITHER if condition is None else outcomes(condition, known)
    if node.kind == "exists":
        return frozenset({False}) if _is_empty(over) or True not in within else _EITHER
    if node.kind == "all":
        return frozenset({True}) if _is_empty(over) or False not in within else _EITHER
    return _EITHER


def _is_empty(node: Node) -> bool:
    if isinstance(node, Literal):
        return isinstance(node.value, List | Map) and not node.value
    return isinstance(node, ListItems) and not node.items


_WAYS: Final[Mapping[type[Node], Callable[[Any, Mapping[str, str]], Outcomes]]] = MappingProxyType(
    {And: _and, Or: _or, Not: _not, Conditional: _conditional, Call: _call, Loop: _loop}
)
