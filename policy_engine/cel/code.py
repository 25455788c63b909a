"""Python code as a tree of few kinds of nodes, checked before it is compiled.

INVARIANT: code is never made from text. The namespace of a function holds what this package puts
there and no builtins; names and attributes are checked against closed sets.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any, Final

__all__ = [
    "ALLOWED_NODES",
    "VALUE_ATTRIBUTES",
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

ALLOWED_NODES: Final = frozenset(
    {
        ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Try, ast.ExceptHandler, ast.Return,
        ast.Assign, ast.Name, ast.Load, ast.Store, ast.Constant, ast.Attribute, ast.Subscript,
        ast.Call, ast.Lambda, ast.IfExp, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not,
        ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Compare, ast.Eq, ast.NotEq, ast.Lt,
        ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NamedExpr,
    }
)  # fmt: skip
"""The kinds of nodes that generated code is made of."""

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


def define(  # noqa: PLR0913 - the parts of one function
    title: str,
    parameters: Sequence[str],
    setup: Sequence[tuple[str, ast.expr]],
    result: ast.expr,
    otherwise: ast.expr,
    namespace: Mapping[str, object],
    attributes: frozenset[str],
) -> Callable[..., Any]:
    """Return a function that yields a result, or something else where that raises.

    Args:
        title: Its name in tracebacks.
        parameters: What it takes.
        setup: Names that are set first.
        result: What it returns.
        otherwise: What it returns where computing that raises.
        namespace: Its globals, beside which it sees nothing.
        attributes: The declared attributes that it may read.

    Raises:
        AssertionError: The code holds something that is not of the closed set.
    """
    body: list[ast.stmt] = [
        ast.Assign([ast.Name(text, _STORE)], value) for text, value in setup
    ]
    body.append(ast.Return(result))
    last = ast.ExceptHandler(name("_Exception"), None, [ast.Return(name("_otherwise"))])
    tries: list[ast.stmt] = [ast.Return(name("_otherwise"))]
    if not (isinstance(otherwise, ast.Name) and otherwise.id == "_otherwise"):
        tries = [ast.Try([ast.Return(otherwise)], [last], [], [])]
    handler = ast.ExceptHandler(name("_Exception"), None, tries)
    function = ast.FunctionDef(
        title, _arguments(parameters), [ast.Try(body, [handler], [], [])], []
    )
    if "type_params" in ast.FunctionDef._fields:
        function.type_params = []
    module = ast.Module([function], [])
    check_closed(module, frozenset(namespace) | frozenset(parameters), attributes)
    ast.fix_missing_locations(module)
    compiled = compile(module, "<expression>", "exec", dont_inherit=True)
    code = next(part for part in compiled.co_consts if isinstance(part, CodeType))
    return FunctionType(code, {**namespace, "__builtins__": {}}, title)


def check_closed(tree: ast.AST, names: frozenset[str], attributes: frozenset[str]) -> None:
    """Check that code is made of the closed set of nodes, names and attributes.

    Raises:
        AssertionError: It is not.
    """
    bound: set[str] = set()
    read: set[str] = set()
    pending = [tree]
    while pending:
        node = pending.pop()
        if type(node) not in ALLOWED_NODES:
            raise AssertionError(f"{type(node).__name__} in generated code")
        if isinstance(node, ast.Name):
            (bound if isinstance(node.ctx, ast.Store) else read).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Attribute):
            _check_attribute(node.attr, attributes)
        pending.extend(ast.iter_child_nodes(node))
    unknown = read - bound - names
    if unknown:
        raise AssertionError(f"{sorted(unknown)} in generated code")


def _check_attribute(text: str, attributes: frozenset[str]) -> None:
    if text.startswith("_") or (text not in VALUE_ATTRIBUTES and text not in attributes):
        raise AssertionError(f".{text} in generated code")
