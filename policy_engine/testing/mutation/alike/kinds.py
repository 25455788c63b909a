"""What a condition can come to where one value that it reads is of a kind that is known.

Nothing else is known: every other part may be anything that its type allows, or cannot be told.
Too many outcomes are harmless, for then a proof fails; one too few would be a false proof.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from policy_engine.cel import BOOL, DOUBLE, INT, STRING, ListType
from policy_engine.cel.nodes import (
    And,
    Call,
    Conditional,
    Has,
    ListItems,
    Local,
    Loop,
    Node,
    Not,
    Or,
    Select,
    VariableRead,
    children,
)
from policy_engine.lint.proof.formula import Term, constant, term

__all__ = ["EVERY", "KINDS", "Known", "outcomes"]

Outcomes: TypeAlias = frozenset[bool | None]
"""True, False, and None where it cannot be told."""
Kinds: TypeAlias = frozenset[str]

EVERY: Final[Outcomes] = frozenset({True, False, None})
_UNTOLD: Final[Outcomes] = frozenset({None})
KINDS: Final[Mapping[str, str]] = {
    "number": "number",
    "integer": "number",
    "string": "string",
    "boolean": "bool",
    "null": "null",
    "array": "list",
    "object": "map",
}
"""A type of JSON Schema -> the kind of its values."""
_ALL: Final[Kinds] = frozenset(KINDS.values())
_NONE: Final[Kinds] = frozenset()
"""The kinds of what is no value: reading it fails."""
_TYPES: Final = {STRING: "string", DOUBLE: "number", INT: "number", BOOL: "bool"}
_COMPARED: Final = frozenset({"<", "<=", ">", ">="})
_ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%"})
_OF_TEXTS: Final = frozenset(
    {"startsWith", "endsWith", "contains", "matches", "lowerAscii", "upperAscii", "trim"}
)
_SIZED: Final = frozenset({"string", "list", "map"})
_HELD: Final = frozenset({"list", "map"})
_UNKNOWN: Final = object()


@dataclass(frozen=True, slots=True)
class Known:
    """A value that is known by its kind."""

    path: Term
    """Where it stands, such as ("args", "amount")."""
    kinds: Kinds
    values: tuple[Any, ...] = ()
    """All that it may be, where that is a list."""


def outcomes(node: Node, known: Known) -> Outcomes:
    """Return all that a condition can come to, and perhaps more."""
    return _Asked(known).of(node)


@dataclass(frozen=True, slots=True)
class _Asked:
    known: Known

    def of(self, node: Node) -> Outcomes:
        match node:
            case Not(operand=operand):
                return frozenset(None if one is None else not one for one in self.of(operand))
            case And(terms=terms):
                return self._joined([self.of(one) for one in terms], outweighs=False)
            case Or(terms=terms):
                return self._joined([self.of(one) for one in terms], outweighs=True)
            case Conditional(test=test, then=then, otherwise=otherwise):
                return self._chosen(self.of(test), self.of(then), self.of(otherwise))
            case Loop(kind="all" | "exists" as kind, range=over, condition=condition):
                return self._looped(over, condition, empty=kind == "all")
            case Has(operand=operand, field=name):
                path = term(operand)
                is_there = path is not None and (*path, name) == self.known.path
                return frozenset({True}) if is_there and "null" not in self.known.kinds else EVERY
            case Call(function="==" | "!=" as operator, arguments=(left, right)):
                return self._equal(left, right, sense=operator == "==")
            case Call(function="in", arguments=(item, over)):
                return self._member(item, over)
            case Call(function=operator, arguments=(left, right)) if operator in _COMPARED:
                mine, other = self.kinds(left), self.kinds(right)
                return EVERY if mine & other else _UNTOLD
        return EVERY if "bool" in self.kinds(node) else _UNTOLD

    @staticmethod
    def _joined(parts: list[Outcomes], *, outweighs: bool) -> Outcomes:
        """Return what parts come to together; one of them outweighs what cannot be told."""
        found: set[bool | None] = {not outweighs}
        for part in parts:
            found = {
                outweighs if outweighs in (a, b) else None if None in (a, b) else not outweighs
                for a in found
                for b in part
            }
        return frozenset(found)

    @staticmethod
    def _chosen(test: Outcomes, then: Outcomes, otherwise: Outcomes) -> Outcomes:
        return (
            (then if True in test else frozenset())
            | (otherwise if False in test else frozenset())
            | (_UNTOLD if None in test else frozenset())
        )

    def _looped(self, over: Node, condition: Node | None, *, empty: bool) -> Outcomes:
        if not self.kinds(over) & _HELD:
            return _UNTOLD
        inner = EVERY if condition is None else self.of(condition)
        return EVERY if self._reads(over) else inner | {empty, None}

    def _equal(self, left: Node, right: Node, *, sense: bool) -> Outcomes:
        mine, other = self.kinds(left), self.kinds(right)
        if not mine or not other:
            return _UNTOLD
        if not mine & other:
            return frozenset({not sense, None})
        for read, written in ((left, right), (right, left)):
            value = self._constant(written)
            if term(read) == self.known.path and self.known.values and value is not _UNKNOWN:
                return frozenset((one == value) is sense for one in self.known.values)
        return EVERY

    def _member(self, item: Node, over: Node) -> Outcomes:
        if not self.kinds(item) or not self.kinds(over) & _HELD:
            return _UNTOLD
        values = self._constant(over)
        if term(item) == self.known.path and self.known.values and isinstance(values, list | tuple):
            return frozenset(one in values for one in self.known.values)
        return EVERY

    @staticmethod
    def _constant(node: Node) -> Any:
        value = constant(node)
        if isinstance(value, list | tuple):
            return value if all(isinstance(one, str) for one in value) else _UNKNOWN
        return value if isinstance(value, str) else _UNKNOWN

    def kinds(self, node: Node) -> Kinds:
        """Return the kinds of what a part may yield; none where it certainly fails."""
        if term(node) == self.known.path:
            return self.known.kinds
        if not self._reads(node):
            return self._declared(node)
        match node:
            case Call(function=name, arguments=arguments):
                return self._of_call(name, [self.kinds(one) for one in arguments])
            case ListItems(items=items):
                failing = not all(map(self.kinds, items))
                return _NONE if failing else frozenset({"list"})
            case Select(operand=operand, optional=False):
                return _ALL if "map" in self.kinds(operand) else _NONE
        return _ALL

    @staticmethod
    def _of_call(name: str, given: list[Kinds]) -> Kinds:
        if not all(given):
            return _NONE
        if name in _OF_TEXTS and not all("string" in one for one in given):
            return _NONE
        if name == "size" and not given[0] & _SIZED:
            return _NONE
        if name in _ARITHMETIC and len(given) == 2:
            return given[0] & given[1]
        return _ALL

    @staticmethod
    def _declared(node: Node) -> Kinds:
        """Return the kinds of what a part yields by its type."""
        kind = getattr(node, "type", None)
        if isinstance(kind, ListType):
            return frozenset({"list"})
        found = _TYPES.get(kind) if kind is not None else None
        return _ALL if found is None else frozenset({found})

    def _reads(self, node: Node) -> bool:
        """Whether the known value, or what it is in, is read anywhere in a part."""
        waiting = [node]
        while waiting:
            one = waiting.pop()
            path = term(one) if isinstance(one, VariableRead | Select) else None
            if path is not None:
                shorter = min(len(path), len(self.known.path))
                if path[:shorter] == self.known.path[:shorter]:
                    return True
            elif not isinstance(one, Local):
                waiting.extend(children(one))
        return False
