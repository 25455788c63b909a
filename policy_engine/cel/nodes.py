"""The tree of an expression: frozen nodes with the span of text that they came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any
from typing import Literal as OneOf

from policy_engine.cel.types import DYN, Type

__all__ = [
    "And",
    "Bind",
    "Call",
    "Conditional",
    "Entry",
    "Failure",
    "Has",
    "Identifier",
    "Index",
    "ListItems",
    "Literal",
    "Local",
    "Loop",
    "MapEntries",
    "Node",
    "Not",
    "OptionalMap",
    "Or",
    "Select",
    "VariableRead",
    "children",
    "walk",
    "with_local",
]

LoopKind = OneOf[
    "all", "exists", "exists_one", "map", "filter", "transformList", "transformMap",
    "transformMapEntry",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression."""

    start: int
    """Where it starts in the text, in code points."""
    end: int
    """Where it ends."""


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant: a literal of the text, or one of the policy's constants."""

    value: object
    type: Type


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """A name as it was written; the checker finds out what it stands for."""

    name: str
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class VariableRead(Node):
    """A variable of the environment."""

    name: str
    path: tuple[str, ...] | None
    type: Type


@dataclass(frozen=True, slots=True)
class Local(Node):
    """A variable of a macro or of cel.bind."""

    name: str
    slot: int
    """Tells apart the variables of one expression."""
    type: Type


@dataclass(frozen=True, slots=True)
class Select(Node):
    """`operand.field`, or `operand.?field`."""

    operand: Node
    field: str
    at: int
    """Where the field's name starts."""
    optional: bool = False
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class Has(Node):
    """`has(operand.field)`."""

    operand: Node
    field: str
    at: int
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`operand[key]`, or `operand[?key]`."""

    operand: Node
    key: Node
    optional: bool = False
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function or an operator; a method's target is the first argument once checked."""

    function: str
    arguments: tuple[Node, ...]
    target: Node | None = None
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class And(Node):
    """`a && b && …`; a false term outweighs an error."""

    terms: tuple[Node, ...]
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class Or(Node):
    """`a || b || …`; a true term outweighs an error."""

    terms: tuple[Node, ...]
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`!operand`."""

    operand: Node
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`test ? then : otherwise`."""

    test: Node
    then: Node
    otherwise: Node
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class ListItems(Node):
    """`[a, ?b]`."""

    items: tuple[Node, ...]
    optionals: frozenset[int] = frozenset()
    """Which items are left out when they are an empty optional."""
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a map."""

    key: Node
    value: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class MapEntries(Node):
    """`{k: v, ?k: v}`."""

    entries: tuple[Entry, ...]
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class Loop(Node):
    """A macro that goes over a list or a map."""

    kind: LoopKind
    range: Node
    variables: tuple[Node, ...]
    """One or two names."""
    condition: Node | None
    result: Node | None
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class Bind(Node):
    """`cel.bind(variable, value, body)`."""

    variable: Node
    value: Node
    body: Node
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class OptionalMap(Node):
    """`operand.optMap(variable, body)`, or optFlatMap."""

    operand: Node
    variable: Node
    body: Node
    flat: bool
    type: Type = DYN


@dataclass(frozen=True, slots=True)
class Failure(Node):
    """A part that could not be checked; as a value it is an error."""

    message: str
    type: Type = DYN


def _of_call(node: Call) -> tuple[Node, ...]:
    return node.arguments if node.target is None else (node.target, *node.arguments)


def _of_map(node: MapEntries) -> tuple[Node, ...]:
    return tuple(part for entry in node.entries for part in (entry.key, entry.value))


def _of_loop(node: Loop) -> tuple[Node, ...]:
    return tuple(n for n in (node.range, node.condition, node.result) if n is not None)


_CHILDREN: Mapping[type[Node], Callable[[Any], tuple[Node, ...]]] = MappingProxyType(
    {
        Select: lambda node: (node.operand,),
        Has: lambda node: (node.operand,),
        Not: lambda node: (node.operand,),
        Index: lambda node: (node.operand, node.key),
        Call: _of_call,
        And: lambda node: node.terms,
        Or: lambda node: node.terms,
        Conditional: lambda node: (node.test, node.then, node.otherwise),
        ListItems: lambda node: node.items,
        MapEntries: _of_map,
        Loop: _of_loop,
        Bind: lambda node: (node.value, node.body),
        OptionalMap: lambda node: (node.operand, node.body),
    }
)


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below one."""
    below = _CHILDREN.get(type(node))
    return () if below is None else below(node)


def walk(tree: Node) -> list[Node]:
    """Return the nodes of a tree, each before those below it."""
    found = [tree]
    for node in found:
        found.extend(children(node))
    return found


def with_local(node: Node, variable: Node, value: Node) -> Node:
    """Put a value wherever a variable of a macro, or of cel.bind, is read."""
    if isinstance(node, Local):
        is_it = isinstance(variable, Local) and node.slot == variable.slot
        return replace(value, start=node.start, end=node.end) if is_it else node
    changed: dict[str, Any] = {}
    for one in fields(node):
        held = getattr(node, one.name)
        if one.name in {"variable", "variables"}:
            continue
        if isinstance(held, Node):
            new: Any = with_local(held, variable, value)
            changed.update({} if new is held else {one.name: new})
        elif isinstance(held, tuple):
            new = tuple(_part_with(part, variable, value) for part in held)
            is_same = all(a is b for a, b in zip(new, held, strict=True))
            changed.update({} if is_same else {one.name: new})
    return replace(node, **changed) if changed else node


def _part_with(part: Any, variable: Node, value: Node) -> Any:
    if isinstance(part, Node):
        return with_local(part, variable, value)
    if isinstance(part, Entry):
        key, held = (with_local(one, variable, value) for one in (part.key, part.value))
        is_same = key is part.key and held is part.value
        return part if is_same else replace(part, key=key, value=held)
    return part
