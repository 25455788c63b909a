"""Fits a call to a function's parameters as Python itself does, and as fast."""

import ast
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, TypeAlias

__all__ = ["Fit", "fitting"]

Fit: TypeAlias = Callable[..., tuple[dict[str, Any], tuple[Any, ...], dict[str, Any]]]
"""Takes a call; returns parameter -> value, what `*args` takes, and what `**kwargs` takes."""


def fitting(signature: Signature, name: str) -> Fit:
    """Make a function with the same parameters that hands back what they took.

    It is built of syntax nodes, so no name can be anything but a name.

    Args:
        signature: The parameters.
        name: What Python calls the function where a call does not fit.
    """
    parameters = signature.parameters.values()
    kinds: dict[Any, list[ast.arg]] = {kind: [] for kind in set(_KINDS)}
    for parameter in parameters:
        kinds[parameter.kind].append(ast.arg(parameter.name))
    single = [p.name for p in parameters if p.kind not in _ANY_NUMBER]
    star, rest = (next(iter(kinds[kind]), None) for kind in _ANY_NUMBER)
    by_name = [p for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
    body = ast.Tuple(
        [
            ast.Dict([ast.Constant(name) for name in single], [_read(name) for name in single]),
            ast.Tuple([], ast.Load()) if star is None else _read(star.arg),
            ast.Dict([], []) if rest is None else _read(rest.arg),
        ],
        ast.Load(),
    )
    arguments = ast.arguments(
        posonlyargs=kinds[Parameter.POSITIONAL_ONLY],
        args=kinds[Parameter.POSITIONAL_OR_KEYWORD],
        vararg=star,
        kwonlyargs=kinds[Parameter.KEYWORD_ONLY],
        kw_defaults=[None for _ in by_name],
        kwarg=rest,
        defaults=[],
    )
    tree = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, body)))
    found: Any = eval(compile(tree, f"<the parameters of {name}>", "eval"), {})  # noqa: S307 - nodes
    front = [p for p in parameters if p.kind in _IN_FRONT]
    found.__defaults__ = tuple(p.default for p in front if p.default is not Parameter.empty)
    found.__kwdefaults__ = {p.name: p.default for p in by_name if p.default is not Parameter.empty}
    found.__qualname__ = name
    fit: Fit = found
    return fit


_IN_FRONT = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_ANY_NUMBER = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
_KINDS = (*_IN_FRONT, Parameter.KEYWORD_ONLY, *_ANY_NUMBER)


def _read(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())
