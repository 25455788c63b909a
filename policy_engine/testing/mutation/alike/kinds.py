"""What a condition can come to where one value that it reads is of a kind that is known.

Nothing else is known: every other part may be anything that its type allows, or cannot be told.
Too many outcomes are harmless, for then a proof fails; one too few would be a false proof.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from policy_engine.cel import BOOL, DOUBLE, INT, STRING, ListType
from policy_engine.cel.nodes import (
    And,
    Call,
    Conditional,
    Has,
    Index,
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
from policy_engine.lint.proof.schema import ELEMENT
from policy_engine.lint.proof.values import Values
from policy_engine.testing.mutation.alike.elements import of_any, of_element
from policy_engine.testing.mutation.alike.ranges import (
    Range,
    calculated,
    compared,
    range_of,
    written,
)

__all__ = ["EVERY", "KINDS", "Declares", "Known", "outcomes"]

Declares: TypeAlias = Callable[[Term], Values | None]
"""From what is read to what it may be where it can be read; None where nothing is declared."""

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
_OF_ADDRESSES: Final = frozenset({"containsIP", "containsCIDR"})
_SIZED: Final = frozenset({"string", "list", "map"})
_HELD: Final = frozenset({"list", "map"})
_WHOLE: Final = 2**63
"""No whole number beyond is read as one."""
_UNKNOWN: Final = object()


@dataclass(frozen=True, slots=True)
class Known:
    """A value that is known by its kind."""

    path: Term
    """Where it stands, such as ("args", "amount"); within a list, one of its elements is meant."""
    kinds: Kinds
    """None at all for what can never be read."""
    values: tuple[str, ...] = ()
    """All that it may be, where that is a list."""
    is_time: bool = True
    """Whether, as a text, it may be a point in time."""
    is_broken: bool = False
    """Whether, as a number, it is none that is whole."""
    range: Range | None = None
    """Between which numbers it lies, where it is a number."""


def outcomes(node: Node, known: Known, declares: Declares = lambda _: None) -> Outcomes:
    """Return all that a condition can come to, and perhaps more.

    Args:
        node: The condition.
        known: The value that is known.
        declares: What others may be where they can be read.
    """
    return _Asked(known, declares).of(node)


@dataclass(frozen=True, slots=True)
class _Asked:
    known: Known
    declares: Declares

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
            case Loop(kind="all" | "exists"):
                return self._looped(node, empty=node.kind == "all")
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
                return self._ordered(operator, left, right) if mine & other else _UNTOLD
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

    def _looped(self, node: Loop, *, empty: bool) -> Outcomes:
        over = node.range
        if not self.kinds(over) & _HELD:
            return _UNTOLD
        body = of_element(node, self.known.path)
        if body is not None:
            # One element is known, and of the others any may decide.
            return self._joined([self.of(body), EVERY], outweighs=not empty) | _UNTOLD
        if node.condition is None or self._reads(over):
            return EVERY
        return self.of(of_any(node) or node.condition) | {empty, None}

    def _ordered(self, operator: str, left: Node, right: Node) -> Outcomes:
        mine, other = self._range(left), self._range(right)
        if mine is None or other is None:
            return EVERY
        return _UNTOLD | compared(operator, mine, other)

    def _equal(self, left: Node, right: Node, *, sense: bool) -> Outcomes:
        mine, other = self.kinds(left), self.kinds(right)
        if not mine or not other:
            return _UNTOLD
        if not mine & other:
            return frozenset({not sense, None})
        for one, told in ((left, constant(right)), (right, constant(left))):
            if isinstance(told, bool):
                same = sense is told
                return frozenset(None if out is None else out is same for out in self.of(one))
        if self._are_unlike(left, right):
            return frozenset({not sense, None})
        if mine == other == {"number"}:
            return self._ordered("==" if sense else "!=", left, right)
        texts, others = self._texts(left), self._texts(right)
        if texts is None or others is None:
            return EVERY
        told = frozenset((a == b) is sense for a in texts for b in others)
        return told if self._is_told(left) and self._is_told(right) else told | _UNTOLD

    def _member(self, item: Node, over: Node) -> Outcomes:
        if not self.kinds(item) or not self.kinds(over) & _HELD:
            return _UNTOLD
        element = getattr(getattr(over, "type", None), "element", None)
        if isinstance(self._held_kind(element), str):
            mine, other = self._range(item), self._range_below(over, element)
            is_apart = (
                mine is not None and other is not None and True not in compared("==", mine, other)
            )
            is_broken = self.known.is_broken and term(item) == self.known.path and element == INT
            if self._held_kind(element) not in self.kinds(item) or is_apart or is_broken:
                return frozenset({False, None})
        texts, values = self._texts(item), self._constant(over)
        if texts is None or not isinstance(values, list | tuple):
            return EVERY
        told = frozenset(one in values for one in texts)
        return told if self._is_told(item) else told | _UNTOLD

    def _are_unlike(self, left: Node, right: Node) -> bool:
        """Whether one is no whole number and the other is."""
        return self.known.is_broken and any(
            term(one) == self.known.path and getattr(other, "type", None) == INT
            for one, other in ((left, right), (right, left))
        )

    @staticmethod
    def _held_kind(element: Any) -> str | None:
        """Return the kind of a list's elements, where they are of one type."""
        return _TYPES.get(element)

    def _range_below(self, over: Node, element: Any) -> Range | None:
        """Return between which numbers the elements of a list lie."""
        path = term(over)
        if path is None or element not in {DOUBLE, INT} or self._reads(over):
            return None
        return self._declared_range((*path, ELEMENT), element)

    def _is_told(self, node: Node) -> bool:
        """Whether a part is certainly told: a constant, or the value that is known."""
        return self._constant(node) is not _UNKNOWN or (
            term(node) == self.known.path and bool(self.known.values)
        )

    def _texts(self, node: Node) -> tuple[str, ...] | None:
        """Return all texts that a part may yield; None where they are not known, or no texts."""
        value = self._constant(node)
        if isinstance(value, str):
            return (value,)
        path = term(node)
        if path == self.known.path:
            return self.known.values or None
        declared = None if path is None else self.declares(path)
        chosen = None if declared is None else declared.chosen
        if not chosen or not all(isinstance(one, str) for one in chosen):
            return None
        return tuple(chosen)

    def _range(self, node: Node) -> Range | None:
        """Return between which numbers a part lies; None where that is not known."""
        found = written(constant(node))
        path = term(node)
        if found is not None or path == self.known.path:
            return found or self.known.range
        if getattr(node, "type", None) not in {DOUBLE, INT}:
            return None
        match node:
            case Call(function="double", arguments=(operand,)):
                return self._range(operand)
            case Call(function=name, arguments=(left, right)):
                mine, other = self._range(left), self._range(right)
                return None if mine is None or other is None else calculated(name, mine, other)
            case Index(operand=operand):
                return _all_of(constant(operand))
        return None if path is None else self._declared_range(path, node.type)  # type: ignore[attr-defined]

    def _declared_range(self, path: Term, kind: Any) -> Range | None:
        """Return between which numbers what is declared lies, and can be read."""
        declared = self.declares(path)
        found = Range(-math.inf, math.inf)
        if declared is not None and not declared.is_empty:
            found = range_of(declared)
        if kind != INT:
            return None if declared is None else found
        low, high = max(found.low, -_WHOLE), min(found.high, _WHOLE - 1)
        return Range(low, high, found.low_open, found.high_open)

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
            case Call(function="timestamp", arguments=(operand,)) if not self.known.is_time:
                return _NONE if term(operand) == self.known.path else _ALL
            case Call(function=name, arguments=arguments):
                return self._of_call(name, [self.kinds(one) for one in arguments])
            case ListItems(items=items):
                failing = not all(map(self.kinds, items))
                return _NONE if failing else frozenset({"list"})
            case Select(operand=operand, optional=False):
                return _ALL if "map" in self.kinds(operand) else _NONE
            case Index(operand=operand, key=key, optional=False):
                return self._of_key(constant(operand), key, self._declared(node))
            case Loop(kind="filter" | "map"):
                body = of_element(node, self.known.path)
                return _NONE if body is not None and self.of(body) == _UNTOLD else _ALL
        return _ALL

    def _of_key(self, held: Any, key: Node, kinds: Kinds) -> Kinds:
        """Return the kinds of what a constant holds under a key."""
        if not isinstance(held, Mapping) or not all(isinstance(one, str) for one in held):
            return _ALL
        texts = self._texts(key)
        if "string" not in self.kinds(key) or (texts is not None and held.keys().isdisjoint(texts)):
            return _NONE
        return kinds

    @staticmethod
    def _of_call(name: str, given: list[Kinds]) -> Kinds:
        if not all(given):
            return _NONE
        if name in _OF_TEXTS and not all("string" in one for one in given):
            return _NONE
        if name in _OF_ADDRESSES and "string" not in given[-1]:
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


def _all_of(held: Any) -> Range | None:
    """Return between which numbers all lies that a constant holds."""
    found = [written(one) for one in held.values()] if isinstance(held, Mapping) else []
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    return Range(min(one.low for one in known), max(one.high for one in known))
