"""A condition as a formula: tests of single values, joined by and, or and not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Final, TypeAlias

from policy_engine.cel import BOOL, DOUBLE, INT, STRING
from policy_engine.cel.nodes import (
    And,
    Call,
    Conditional,
    Has,
    Index,
    ListItems,
    Literal,
    Local,
    Loop,
    Node,
    Not,
    Or,
    Select,
    VariableRead,
    children,
    with_local,
)

__all__ = [
    "FLIPPED",
    "PIECES",
    "Atom",
    "Clause",
    "Formula",
    "Group",
    "Term",
    "TooManyError",
    "atoms",
    "canonical",
    "clauses",
    "conjunctions",
    "constant",
    "formula",
    "is_scalar",
    "kind_of",
    "opposite",
    "term",
]

Term: TypeAlias = tuple[str, ...]
"""What is tested: the path of a value, such as ("args", "amount"), or ("size", "args", "to")."""

_UNKNOWN: Final = object()
_COMPARED: Final = frozenset({"<", "<=", ">", ">="})
FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""A comparison -> the same with its sides changed."""
PIECES: Final = {
    "startsWith": "prefix",
    "endsWith": "suffix",
    "contains": "contains",
    "matches": "matches",
}
"""A method of texts -> the kind of its test."""
_KINDS: Final = {DOUBLE: "number", INT: "integer", STRING: "string", BOOL: "bool"}
_OF_VALUES: Final = frozenset({"size", "lowerAscii", "upperAscii", "trim"})
"""Functions whose result is a value of its own."""
_OF_TIME: Final = frozenset(
    {
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getFullYear",
        "getHours",
        "getMilliseconds",
        "getMinutes",
        "getMonth",
        "getSeconds",
    }
)
_EXACT: Final = 2**53
"""Up to here every whole number is a double."""
_MOST: Final = 256
"""So many conjunctions are looked at."""


class TooManyError(Exception):
    """A formula has more cases than are worth looking at."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One test, or a part of a condition that is not understood."""

    term: Term
    """Empty for a part that is not understood."""
    kind: str
    """`<`, `<=`, `==`, `in`, `prefix`, `suffix`, `contains`, `matches`, `present`; `member` for an
    element in a list, `every` for a formula that each element meets; of schemas also `fits`,
    `type`, `shortest`, `longest` and `multiple`; `other`."""
    operand: Any = None
    """What it is tested against; for what is not understood, the part written out."""
    type: str = "any"

    @property
    def key(self) -> tuple[object, ...]:
        """What equal tests have in common."""
        said = said_of(self.operand) if self.kind == "every" else repr(self.operand)
        return (self.term, self.kind, said)


@dataclass(frozen=True, slots=True)
class Clause:
    """A test that holds, or does not."""

    atom: Atom
    holds: bool
    node: Node


@dataclass(frozen=True, slots=True)
class Group:
    """Parts of which all must hold, or one."""

    all: bool
    parts: tuple["Formula", ...]


Formula: TypeAlias = Clause | Group
_TRUE: Final = Group(True, ())
_FALSE: Final = Group(False, ())


def said_of(found: "Formula") -> str:
    """Write a formula out without its places."""
    if isinstance(found, Clause):
        return f"{'' if found.holds else '!'}{found.atom.key}"
    return f"{'all' if found.all else 'any'}({', '.join(map(said_of, found.parts))})"


def opposite(found: "Formula") -> "Formula":
    """Return when a formula does not hold."""
    if isinstance(found, Clause):
        return Clause(found.atom, not found.holds, found.node)
    return Group(not found.all, tuple(map(opposite, found.parts)))


def formula(node: Node, *, holds: bool = True) -> Formula:
    """Return when a condition is true, or false; many rules ask this of the same condition."""
    # What is asked about is kept, so that no other tree can get its identity.
    known = _KNOWN.get((id(node), holds))
    if known is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[id(node), holds] = node, _formula(node, holds=holds)
    return known[1]


_KNOWN: Final[dict[tuple[int, bool], tuple[Node, Formula]]] = {}
_MOST_KNOWN: Final = 8192


def _formula(node: Node, *, holds: bool = True) -> Formula:
    match node:
        case Literal(value=bool(value)):
            return _TRUE if value is holds else _FALSE
        case Not(operand=operand):
            return _formula(operand, holds=not holds)
        case And(terms=terms):
            return Group(holds, tuple(_formula(t, holds=holds) for t in terms))
        case Or(terms=terms):
            return Group(not holds, tuple(_formula(t, holds=holds) for t in terms))
        case Conditional(test=test, then=then, otherwise=otherwise):
            yes = Group(True, (_formula(test), _formula(then, holds=holds)))
            no = Group(True, (_formula(test, holds=False), _formula(otherwise, holds=holds)))
            return Group(False, (yes, no))
    return _clause(node, holds=holds)


def _clause(node: Node, *, holds: bool) -> Formula:
    found = _atom(node)
    if found is None:
        known = constant(node)
        if isinstance(known, bool):
            return _TRUE if known is holds else _FALSE
        return Clause(Atom((), "other", canonical(node)), holds, node)
    atom, sense = found
    if atom is _UNKNOWN:
        return _TRUE if sense is holds else _FALSE
    return Clause(atom, holds is sense, node)


def _atom(node: Node) -> tuple[Any, bool] | None:
    """Return a test and whether the node says that it holds."""
    match node:
        case Has(operand=operand, field=name):
            path = term(operand)
            return None if path is None else (Atom((*path, name), "present"), True)
        case Loop(kind="all" | "exists" as kind, range=over, variables=(Local() as variable,)):
            return _every(over, node.condition, variable, sense=kind == "all")
        case Call(function="==" | "!=" as operator, arguments=(left, right)):
            return _equal(left, right, sense=operator == "==")
        case Call(function="in", arguments=(left, right)):
            return _member(left, right)
        case Call(function=operator, arguments=(left, right)) if operator in _COMPARED:
            return _compared(operator, left, right)
        case Call(function=name, arguments=(left, right)) if name in PIECES:
            path, text = term(left), constant(right)
            if path is None or not isinstance(text, str):
                return None
            return Atom(path, PIECES[name], text, "string"), True
    path = term(node)
    if path is not None and getattr(node, "type", None) == BOOL:
        return Atom(path, "==", True, "bool"), True
    return None


def _every(
    over: Node, test: Node | None, variable: Local, *, sense: bool
) -> tuple[Any, bool] | None:
    """Return what each element of a list meets: of `exists`, the opposite of its test."""
    path = term(over)
    if path is None or test is None:
        return None
    element = VariableRead(
        test.start, test.end, ".".join((*path, "[]")), None, _type_of(test, variable.slot)
    )
    inner = _formula(with_local(test, variable, element), holds=sense)
    return Atom(path, "every", inner, "list"), sense


def _type_of(tree: Node, slot: int) -> Any:
    """Return the type of a macro's variable, as its first use has it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Local) and node.slot == slot:
            return node.type
        waiting.extend(children(node))
    return None


def _equal(left: Node, right: Node, *, sense: bool) -> tuple[Any, bool]:
    for read, written in ((left, right), (right, left)):
        path, value = term(read), constant(written)
        if path is not None and value is not _UNKNOWN and is_scalar(value):
            return Atom(path, "==", value, kind_of(read)), sense
    pair = sorted((canonical(left), canonical(right)))
    if pair[0] == pair[1] and not any(map(_may_be_no_number, (left, right))):
        return _UNKNOWN, sense
    return Atom((), "other", f"{pair[0]} == {pair[1]}"), sense


def _member(left: Node, right: Node) -> tuple[Any, bool] | None:
    path, values = term(left), constant(right)
    if path is not None and isinstance(values, list | tuple) and all(map(is_scalar, values)):
        return Atom(path, "in", tuple(values), kind_of(left)), True
    element, over = constant(left), term(right)
    if over is not None and is_scalar(element):
        return Atom(over, "member", element, "list"), True
    return None


def _compared(operator: str, left: Node, right: Node) -> tuple[Any, bool]:
    for read, written, said in ((left, right, operator), (right, left, FLIPPED[operator])):
        path, value = term(read), constant(written)
        if path is not None and is_scalar(value) and _is_number(value):
            kind = kind_of(read)
            if said in {"<", "<="}:
                return Atom(path, said, value, kind), True
            return Atom(path, "<=" if said == ">" else "<", value, kind), False
    a, b = canonical(left), canonical(right)
    if operator in {">", "<="}:
        a, b = b, a
    said = f"{a} < {b}"
    if operator in {"<=", ">="} and any(map(_may_be_no_number, (left, right))):
        said = f"{said} or neither"
    return Atom((), "other", said), operator in {"<", ">"}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _may_be_no_number(node: Node) -> bool:
    """Whether a calculation may yield what is neither above nor below a number."""
    if term(node) is not None or constant(node) is not _UNKNOWN:
        return False
    return getattr(node, "type", None) not in {INT, STRING, BOOL}


def kind_of(node: Node) -> str:
    """Return the kind of a node's values, `any` where they have several."""
    return _KINDS.get(getattr(node, "type", None), "any")  # type: ignore[arg-type]


def is_scalar(value: object) -> bool:
    """Whether a constant is a value that another one may equal."""
    if isinstance(value, float) and abs(value) > _EXACT:
        return False  # integers that meet it are rounded
    return value is None or isinstance(value, str | int | float | bool)


def term(node: Node) -> Term | None:
    """Return what a node reads, if it reads one value that can be named."""
    match node:
        case VariableRead(name=name):
            return tuple(name.split("."))
        case Select(operand=operand, field=name, optional=False):
            return _below(operand, name)
        case Index(operand=operand, key=Literal(value=str(name)), optional=False):
            return _below(operand, name)
        case Call(
            function="size" | "lowerAscii" | "upperAscii" | "trim" as name, arguments=(operand,)
        ):
            path = term(operand)
            return None if path is None else (name, *path)
        case Call(function=name, arguments=(VariableRead(name="now"), *zone)) if name in _OF_TIME:
            return ("now", name, *(str(constant(part)) for part in zone))
    return None


def _below(operand: Node, name: str) -> Term | None:
    path = term(operand)
    return None if path is None or path[0] in _OF_VALUES else (*path, name)


def constant(node: Node) -> Any:
    """Return the value of a node that reads nothing, or a mark that it has none."""
    match node:
        case Literal(value=value):
            return value
        case ListItems(items=items, optionals=optionals) if not optionals:
            values = [constant(item) for item in items]
            return _UNKNOWN if any(value is _UNKNOWN for value in values) else values
        case Select(operand=operand, field=name):
            inner = constant(operand)
            if isinstance(inner, Mapping) and name in inner:
                return inner[name]
    return _UNKNOWN


def canonical(node: Node) -> str:
    """Write a node out without its places, so that equal parts are equal texts."""
    path = term(node)
    if path is not None:
        return ".".join(path)
    match node:
        case Literal(value=value):
            return repr(value)
        case Local(slot=slot):
            return f"${slot}"
        case Has(operand=operand, field=name):
            return f"has({canonical(operand)}.{name})"
    label = type(node).__name__
    for attribute in ("function", "kind", "field", "optional", "flat"):
        if hasattr(node, attribute):
            label += f":{getattr(node, attribute)}"
    return f"{label}({', '.join(map(canonical, children(node)))})"


def clauses(found: Formula) -> Iterator[Clause]:
    """Go through every test of a formula."""
    if isinstance(found, Clause):
        yield found
    else:
        for part in found.parts:
            yield from clauses(part)


def atoms(found: Formula) -> dict[tuple[object, ...], Atom]:
    """Return every test of a formula once."""
    return {clause.atom.key: clause.atom for clause in clauses(found)}


def conjunctions(found: Formula) -> list[tuple[Clause, ...]]:
    """Return the cases of a formula: it holds where all tests of one of them do.

    Raises:
        TooManyError: They are too many.
    """
    try:
        simple = _simple(found)
        if _count(simple) > _MOST:
            raise TooManyError
        return list(_cases(simple))
    except RecursionError:
        raise TooManyError from None


def _count(found: Formula) -> int:
    """Count the cases of a formula, without writing them out."""
    if isinstance(found, Clause):
        return 1
    counts = map(_count, found.parts)
    return prod(counts) if found.all else sum(counts)


def _simple(found: Formula) -> Formula:
    """Take out what is true or false anyway, so that no case is looked for in vain."""
    if isinstance(found, Clause):
        return found
    parts = [_simple(part) for part in found.parts]
    settled, idle = (_FALSE, _TRUE) if found.all else (_TRUE, _FALSE)
    if any(part == settled for part in parts):
        return settled
    return Group(found.all, tuple(part for part in parts if part != idle))


def _cases(found: Formula) -> Iterator[tuple[Clause, ...]]:
    if isinstance(found, Clause):
        yield (found,)
    elif not found.all:
        for part in found.parts:
            yield from _cases(part)
    elif not found.parts:
        yield ()
    else:
        first, rest = found.parts[0], Group(True, found.parts[1:])
        for left in _cases(first):
            for right in _cases(rest):
                yield (*left, *right)
