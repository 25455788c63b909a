"""Python code as a tree of few kinds of nodes, checked before it is compiled.

INVARIANT: code is never made from text. The namespace of a function holds what this package puts
there and no builtins; names and attributes are checked against closed sets.
"""

import ast
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, Final

__all__ = [
    "ALLOWED_NODES",
    "VALUE_ATTRIBUTES",
    "Body",
    "attribute",
    "both",
    "call",
    "choose",
    "compare",
    "constant",
    "define",
    "item",
    "keep",
    "name",
    "thunk",
]

_LOAD: Final = ast.Load()
_STORE: Final = ast.Store()

ALLOWED_NODES: Final[frozenset[type[ast.AST]]] = frozenset(
    {
        ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Try, ast.ExceptHandler, ast.Return,
        ast.Assign, ast.Name, ast.Load, ast.Store, ast.Constant, ast.Attribute, ast.Subscript,
        ast.Call, ast.Lambda, ast.IfExp, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not,
        ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Compare, ast.Eq, ast.NotEq, ast.Lt,
        ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NamedExpr,
    }
)  # fmt: skip
"""The kinds of nodes that generated code is made of."""

_WORDS: Final = frozenset({"arg", "attr", "ctx", "id", "kind", "name", "type_comment"})
_PARTS: Final[Mapping[type[ast.AST], tuple[str, ...]]] = {
    **{kind: tuple(f for f in kind._fields if f not in _WORDS) for kind in ALLOWED_NODES},
    ast.Constant: (),
}
"""The fields of a node that hold nodes."""

VALUE_ATTRIBUTES: Final = frozenset({"startswith", "endswith"})
"""The attributes that generated code reads beside the declared paths."""


def name(text: str) -> ast.expr:
    """Return a name."""
    return ast.Name(text, _LOAD)


def constant(value: Any) -> ast.expr:
    """Return a constant that Python can store in code."""
    return ast.Constant(value)


def attribute(value: ast.expr, text: str) -> ast.expr:
    """Return `value.text`."""
    return ast.Attribute(value, text, _LOAD)


def item(value: ast.expr, key: ast.expr) -> ast.expr:
    """Return `value[key]`."""
    return ast.Subscript(value, key, _LOAD)


def call(function: str | ast.expr, *arguments: ast.expr) -> ast.expr:
    """Return `function(arguments)`."""
    target = name(function) if isinstance(function, str) else function
    return ast.Call(target, list(arguments), [])


def keep(text: str, value: ast.expr) -> ast.expr:
    """Return `(text := value)`."""
    return ast.NamedExpr(ast.Name(text, _STORE), value)


def choose(test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.expr:
    """Return `then if test else otherwise`."""
    return ast.IfExp(test, then, otherwise)


def compare(first: ast.expr, *rest: ast.cmpop | ast.expr) -> ast.expr:
    """Return `first < second <= third`, given operators and operands in turn."""
    operators = [part for part in rest if isinstance(part, ast.cmpop)]
    operands = [part for part in rest if isinstance(part, ast.expr)]
    return ast.Compare(first, operators, operands)


def both(*terms: ast.expr) -> ast.expr:
    """Return `a and b`."""
    return ast.BoolOp(ast.And(), list(terms))


def either(*terms: ast.expr) -> ast.expr:
    """Return `a or b`."""
    return ast.BoolOp(ast.Or(), list(terms))


def thunk(body: ast.expr, *parameters: str) -> ast.expr:
    """Return `lambda parameters: body`."""
    return ast.Lambda(_arguments(parameters), body)


def _arguments(parameters: Sequence[str]) -> ast.arguments:
    return ast.arguments([], [ast.arg(p) for p in parameters], None, [], [], None, [])


@dataclass(frozen=True, slots=True)
class Body:
    """What a function does."""

    setup: tuple[tuple[str, ast.expr], ...]
    """Names that are set first."""
    result: ast.expr
    """What it returns."""
    otherwise: ast.expr | None
    """What it returns where computing that raises; the name `_otherwise` where this is None."""


def define(
    parameters: Sequence[str],
    body: Body,
    namespace: Mapping[str, object],
    attributes: frozenset[str],
) -> Callable[..., Any]:
    """Return a function that yields a result, or something else where that raises.

    Args:
        parameters: What it takes.
        body: What it does.
        namespace: Its globals, beside which it sees nothing.
        attributes: The declared attributes that it may read.

    Raises:
        AssertionError: The code holds something that is not of the closed set.
    """
    steps: list[ast.stmt] = [ast.Assign([ast.Name(n, _STORE)], v) for n, v in body.setup]
    steps.append(ast.Return(body.result))
    last: list[ast.stmt] = [ast.Return(name("_otherwise"))]
    if body.otherwise is not None:
        last = [_try([ast.Return(body.otherwise)], last)]
    function: Any = ast.FunctionDef("expression", _arguments(parameters), [_try(steps, last)], [])
    if "type_params" in ast.FunctionDef._fields:  # since Python 3.12
        function.type_params = []
    module = ast.Module([function], [])
    names = check_closed(module, namespace.keys() | parameters, attributes)
    compiled = compile(module, "<expression>", "exec", dont_inherit=True)
    code = next(part for part in compiled.co_consts if isinstance(part, CodeType))
    seen = {text: namespace[text] for text in names if text in namespace}
    return FunctionType(code, {**seen, "__builtins__": {}}, "expression")


def _try(steps: list[ast.stmt], otherwise: list[ast.stmt]) -> ast.stmt:
    return ast.Try(steps, [ast.ExceptHandler(name("_Exception"), None, otherwise)], [], [])


def check_closed(tree: ast.AST, names: Container[str], attributes: frozenset[str]) -> set[str]:
    """Check that code is made of the closed set of nodes, names and attributes, and place it.

    Returns:
        The names that it reads.

    Raises:
        AssertionError: It is not.
    """
    bound: set[str] = set()
    read: set[str] = set()
    pending: list[Any] = [tree]
    while pending:
        node = pending.pop()
        kind = type(node)
        if kind not in _PARTS:
            raise AssertionError(f"{kind.__name__} in generated code")
        if kind is ast.Name:
            (bound if node.ctx is _STORE else read).add(node.id)
        elif kind is ast.arg:
            bound.add(node.arg)
        elif kind is ast.Attribute:
            _check_attribute(node.attr, attributes)
        node.lineno = node.end_lineno = 1
        node.col_offset = node.end_col_offset = 0
        for field in _PARTS[kind]:
            part = getattr(node, field, None)
            if type(part) is list:
                pending.extend(part)
            elif part is not None:
                pending.append(part)
    unknown = [text for text in read - bound if text not in names]
    if unknown:
        raise AssertionError(f"{sorted(unknown)} in generated code")
    return read


def _check_attribute(text: str, attributes: frozenset[str]) -> None:
    if text.startswith("_") or (text not in VALUE_ATTRIBUTES and text not in attributes):
        raise AssertionError(f".{text} in generated code")
