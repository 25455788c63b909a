"""Calls that are macros -> the nodes that they stand for."""

from policy_engine.cel.lexer import syntax_error
from policy_engine.cel.nodes import (
    Bind,
    Call,
    Has,
    Identifier,
    Loop,
    LoopKind,
    Node,
    OptionalMap,
    Select,
)
from policy_engine.cel.problems import ExpressionError

__all__ = ["MACRO_NAMES", "expand"]

_PREDICATES: dict[str, LoopKind] = {
    "all": "all",
    "exists": "exists",
    "exists_one": "exists_one",
    "existsOne": "exists_one",
}
_TRANSFORMS: dict[str, LoopKind] = {
    "transformList": "transformList",
    "transformMap": "transformMap",
    "transformMapEntry": "transformMapEntry",
}

MACRO_NAMES = frozenset(
    {"has", "map", "filter", "optMap", "optFlatMap", *_PREDICATES, *_TRANSFORMS}
)
"""What an author may have meant by a near name."""


def expand(text: str, call: Call) -> Node:
    """Return what a call stands for: itself, or the node of a macro.

    Raises:
        ExpressionError: A macro's arguments are not what it takes.
    """
    if call.target is None:
        return _expand_has(text, call) if call.function == "has" else call
    name, count = call.function, len(call.arguments)
    if isinstance(call.target, Identifier) and call.target.name == "cel":
        return _expand_bind(text, call) if name == "bind" else call
    if name in _PREDICATES and count in (2, 3):
        return _loop(text, call, _PREDICATES[name], count - 1)
    if name == "map" and count in (2, 3):
        return _loop(text, call, "map", 1)
    if name == "filter" and count == 2:
        return _loop(text, call, "filter", 1)
    if name in _TRANSFORMS and count in (3, 4):
        return _loop(text, call, _TRANSFORMS[name], 2)
    if name in ("optMap", "optFlatMap") and count == 2:
        variable = _variable(text, call.arguments[0])
        flat = name == "optFlatMap"
        return OptionalMap(call.start, call.end, call.target, variable, call.arguments[1], flat)
    return call


def _expand_has(text: str, call: Call) -> Node:
    if len(call.arguments) == 1:
        inner = call.arguments[0]
        if isinstance(inner, Select) and not inner.optional:
            return Has(call.start, call.end, inner.operand, inner.field, inner.at)
    raise _error(text, call, '"has" takes one field, such as has(args.note)')


def _expand_bind(text: str, call: Call) -> Node:
    if len(call.arguments) != 3:
        raise _error(text, call, '"cel.bind" takes a name, a value and an expression')
    name, value, body = call.arguments
    return Bind(call.start, call.end, _variable(text, name), value, body)


def _loop(text: str, call: Call, kind: LoopKind, names: int) -> Node:
    assert call.target is not None  # noqa: S101 - only methods come here
    variables = tuple(_variable(text, node) for node in call.arguments[:names])
    if len({v.name for v in variables}) != len(variables):
        raise _error(text, call.arguments[1], "a macro's two variables have different names")
    rest = call.arguments[names:]
    condition: Node | None
    result: Node | None
    if kind in ("map", "transformList", "transformMap", "transformMapEntry"):
        condition, result = (rest[0], rest[1]) if len(rest) == 2 else (None, rest[0])
    else:
        condition, result = rest[0], None
    return Loop(call.start, call.end, kind, call.target, variables, condition, result)


def _variable(text: str, node: Node) -> Identifier:
    """Return the name that a macro introduces.

    The optimiser's form `cel.iterVar(0, 1)` of a name is read too.
    """
    if isinstance(node, Identifier) and not node.name.startswith("."):
        return node
    raise _error(text, node, "a macro's variable is a plain name")


def _error(text: str, node: Node, message: str) -> ExpressionError:
    return syntax_error(text, message, node.start, node.end)
