"""Text of an expression -> a function that never raises."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from policy_engine.cel.checker import Checker
from policy_engine.cel.code import Body, call, define, name
from policy_engine.cel.environment import Environment
from policy_engine.cel.generate import METER, Generator
from policy_engine.cel.nodes import Has, Index, Literal, Node, Select, VariableRead, children, walk
from policy_engine.cel.overloads import compatible
from policy_engine.cel.parser import parse
from policy_engine.cel.problems import ExpressionError, Problem
from policy_engine.cel.reading import solid_of
from policy_engine.cel.runtime import NAMES
from policy_engine.cel.types import BOOL, DOUBLE, DYN, INT, RecordType, SimpleType, Type
from policy_engine.cel.values import CANNOT_TELL

__all__ = ["Condition", "Expression", "compile_condition", "compile_value", "read_path"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition."""

    text: str
    function: Callable[..., bool | None] = field(compare=False, repr=False)
    """Takes the environment's parameters; True, False, or None where it cannot tell."""
    reads: frozenset[tuple[str, ...]]
    """The variables and fields that it may read, as far as they are known before any run."""
    tree: Node = field(repr=False, hash=False)
    """The checked tree, macros expanded."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression for a value."""

    text: str
    function: Callable[..., object] = field(compare=False, repr=False)
    """Takes the environment's parameters; a Python value, or `CANNOT_TELL`."""
    reads: frozenset[tuple[str, ...]]
    """The variables and fields that it may read, as far as they are known before any run."""
    tree: Node = field(repr=False, hash=False)
    """The checked tree, macros expanded."""
    type: Type = DYN
    """The type of the value."""


def compile_condition(text: str, environment: Environment) -> Condition:
    """Compile an expression that is true or false.

    Raises:
        ExpressionError: It cannot be parsed, does not fit the types of what it reads, or yields
            something else.
    """
    try:
        return _condition(text, environment)
    except RecursionError:
        raise _too_deep(text) from None


def _condition(text: str, environment: Environment) -> Condition:
    tree = _check(text, environment)
    kind = _type(tree)
    if kind not in (BOOL, DYN):
        message = f'a condition is a bool, and "{_short(text)}" is of type {kind}'
        raise ExpressionError(text, [Problem("type", message, 0, len(text))])
    function = compile_tree(tree, environment, None)
    return Condition(text, function, _reads(tree), tree)  # type: ignore[arg-type]


def compile_value(text: str, environment: Environment, want: tuple[Type, ...]) -> Expression:
    """Compile an expression for a value of one of some types.

    Raises:
        ExpressionError: It cannot be parsed, does not fit the types of what it reads, or yields
            something else.
    """
    try:
        return _value(text, environment, want)
    except RecursionError:
        raise _too_deep(text) from None


def _value(text: str, environment: Environment, want: tuple[Type, ...]) -> Expression:
    tree = _check(text, environment)
    kind = _type(tree)
    wanted = want if kind == DYN else tuple(w for w in want if _fits(kind, w))
    if not wanted:
        names = " or ".join(map(str, want))
        message = f'"{_short(text)}" is of type {kind}, not {names}'
        raise ExpressionError(text, [Problem("type", message, 0, len(text))])
    exact = tuple(w for w in (kind, DYN) if w in wanted)[:1]
    function = compile_tree(tree, environment, _Export(exact or wanted))
    return Expression(text, function, _reads(tree), tree, kind)


def _fits(kind: Type, wanted: Type) -> bool:
    """Say whether a value of one type can be handed on as another."""
    if isinstance(kind, SimpleType):
        return wanted in (DYN, kind, DOUBLE if kind == INT else kind)
    return compatible(kind, wanted)


def _type(node: Node) -> Type:
    return node.type  # type: ignore[attr-defined, no-any-return]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


def _check(text: str, environment: Environment) -> Node:
    """Parse and check an expression."""
    checker = Checker(environment)
    checked = checker.check(parse(text))
    for node in _groups(checked):
        checker.fail(node, f'"{node.name}" is not a value itself', "read one of its fields")
    if checker.problems:
        raise ExpressionError(text, checker.problems)
    return checked


def _groups(tree: Node) -> Iterator[VariableRead]:
    """Yield the variables without a path of their own that are used as values."""
    if isinstance(tree, VariableRead) and tree.path is None:
        yield tree
    for node in walk(tree):
        if not isinstance(node, Select | Has):
            for child in children(node):
                if isinstance(child, VariableRead) and child.path is None:
                    yield child


def _too_deep(text: str) -> ExpressionError:
    """Return the error for a stack that does not suffice."""
    message = "an expression is nested too deeply"
    return ExpressionError(text, [Problem("syntax", message, 0, max(1, len(text)))])


class _Export:
    """Turns the value of an expression into a Python value of a wanted type."""

    __slots__ = ("checks",)

    def __init__(self, wanted: tuple[Type, ...]) -> None:
        self.checks = tuple(solid_of(kind) for kind in wanted)

    def __call__(self, value: object) -> object:
        for check in self.checks[:-1]:
            try:
                return _export(check(value))
            except Exception:  # noqa: BLE001, S112 - the next type may fit
                continue
        return _export(self.checks[-1](value))


_export: Callable[[object], object] = NAMES["_export"]  # type: ignore[assignment]


Export = Callable[[object], object]


def compile_tree(
    tree: Node, environment: Environment, export: Export | None
) -> Callable[..., object]:
    """Return the function of a checked tree.

    Args:
        tree: What `Checker.check` returned.
        environment: What it was checked against.
        export: What the function does with the value; None for a condition.
    """
    generator = Generator(absorbing=False)
    result = _result(generator, tree, export)
    otherwise = call("_slow", *map(name, environment.parameters)) if generator.absorbs else None
    names = {
        **NAMES,
        **generator.constants,
        "_otherwise": None if export is None else CANNOT_TELL,
        "_slow": _Slow(tree, environment, export),
    }
    body = _body(generator, result, otherwise)
    return define(environment.parameters, body, names, frozenset(_attributes(tree)))


class _Slow:
    """The function that absorbs errors, made when it is first needed: most never are."""

    __slots__ = ("environment", "export", "function", "tree")

    def __init__(self, tree: Node, environment: Environment, export: Export | None) -> None:
        self.tree = tree
        self.environment = environment
        self.export = export
        self.function: Callable[..., object] | None = None

    def __call__(self, *arguments: object) -> object:
        if self.function is None:
            self.function = self.make()
        return self.function(*arguments)

    def make(self) -> Callable[..., object]:
        """Return the function."""
        generator = Generator(absorbing=True)
        return compile_by(generator, self.tree, self.environment, self.export)


def compile_by(
    generator: Generator, tree: Node, environment: Environment, export: Export | None
) -> Callable[..., object]:
    """Return the function of a checked tree as a generator that absorbs errors makes it.

    Args:
        generator: Makes the code.
        tree: What `Checker.check` returned.
        environment: What it was checked against.
        export: What the function does with the value; None for a condition.
    """
    body = _body(generator, _result(generator, tree, export), None)
    names = {
        **NAMES,
        **generator.constants,
        "_otherwise": None if export is None else CANNOT_TELL,
    }
    return define(environment.parameters, body, names, frozenset(_attributes(tree)))


def _body(generator: Generator, result: ast.expr, otherwise: ast.expr | None) -> Body:
    setup = ((METER, call("_Meter")),) if generator.metered else ()
    return Body(setup, result, otherwise)


def _result(generator: Generator, tree: Node, export: Export | None) -> ast.expr:
    if export is None:
        return generator.boolean(tree)
    return call(generator.hold(export), generator.value(tree))


def _attributes(tree: Node) -> Iterator[str]:
    """Yield the attributes that the code of a tree reads."""
    for node in walk(tree):
        if isinstance(node, VariableRead) and node.path is not None:
            yield from node.path[1:]
        elif isinstance(node, VariableRead) and isinstance(node.type, RecordType):
            for declared in node.type.fields.values():
                yield from (declared.path or ())[1:]
        elif isinstance(node, Select | Has):
            kind = _type(node.operand)
            if isinstance(kind, RecordType) and node.field in kind.fields:
                yield from (kind.fields[node.field].path or ())[1:]


def _reads(tree: Node) -> frozenset[tuple[str, ...]]:
    """Return the longest paths that a tree reads from variables."""
    found: set[tuple[str, ...]] = set()
    pending = [tree]
    while pending:
        node = pending.pop()
        path = read_path(node)
        if path is None:
            pending.extend(children(node))
        else:
            found.add(path)
    return frozenset(found)


def read_path(node: Node) -> tuple[str, ...] | None:
    """Return the path that a node reads from a variable, or None for anything else."""
    match node:
        case VariableRead(name=text):
            return tuple(text.split("."))
        case Select(operand=operand, field=text) | Has(operand=operand, field=text):
            before = read_path(operand)
            return None if before is None else (*before, text)
        case Index(operand=operand, key=Literal(value=str(text))):
            before = read_path(operand)
            return None if before is None else (*before, text)
    return None
