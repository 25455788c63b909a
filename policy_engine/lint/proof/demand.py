"""From a JSON Schema to the formula that says when a value fits it.

What no test can say (`format`, `uniqueItems`, `check`...) is a part that is not understood: it may
hold or not, and equal parts hold alike. A part that the schemas known of the value say already
holds.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from policy_engine.cel.nodes import Node
from policy_engine.lint.proof.formula import Atom, Clause, Formula, Group, Term, opposite
from policy_engine.lint.proof.schema import ELEMENT, KINDS

__all__ = ["demanded"]

_NOWHERE: Final = Node(0, 0)
_TRUE: Final = Group(True, ())
_FALSE: Final = Group(False, ())
_DEPTH: Final = 8
_MOST: Final = 6
"""So many alternatives of which exactly one holds are written out."""
_SILENT: Final = frozenset(
    {"title", "description", "default", "examples", "deprecated", "message", "optional", "$defs"}
)
_WITH_OTHERS: Final = frozenset(
    {"then", "else", "required", "additionalProperties", "minContains", "maxContains"}
)
"""Keywords that are read with another."""
_TESTS: Final[Mapping[str, tuple[str, bool]]] = {
    "minimum": ("<", False),
    "exclusiveMinimum": ("<=", False),
    "maximum": ("<=", True),
    "exclusiveMaximum": ("<", True),
    "minLength": ("shortest", True),
    "maxLength": ("longest", True),
    "pattern": ("fits", True),
    "multipleOf": ("multiple", True),
}

Known = Callable[[Term], list[Any]]
"""From a term to the schemas that its value fits anyway."""


def demanded(term: Term, schema: Any, known: Known) -> Formula:
    """Return when a value fits a schema.

    Args:
        term: The value.
        schema: The schema.
        known: The schemas that values are known to fit.
    """
    return _Demand(schema, known).of(term, schema, 0)


class _Demand:
    def __init__(self, root: Any, known: Known) -> None:
        self.root = root
        self.known = known

    def of(self, term: Term, schema: Any, depth: int) -> Formula:
        """Return when a value fits a schema or a part of one."""
        if schema is True:
            return _TRUE
        if not isinstance(schema, Mapping):
            return _FALSE
        if depth > _DEPTH:
            return self._other(term, "deep", schema)
        parts = tuple(
            self._keyword(term, key, value, schema, depth + 1)
            for key, value in schema.items()
            if key not in _SILENT and key not in _WITH_OTHERS
        )
        parts = (*parts, *self._required(term, schema))
        return parts[0] if len(parts) == 1 else Group(True, parts)

    def _keyword(
        self, term: Term, key: str, value: Any, schema: Mapping[str, Any], depth: int
    ) -> Formula:
        if key == "type":
            return self._type(term, value, schema)
        if self._is_known(term, key, value):
            return _TRUE
        if key in _TESTS:
            return _tested(term, key, value, schema)
        match key:
            case "const" | "enum":
                listed = [value] if key == "const" else value
                if all(one is None or isinstance(one, str | int | float) for one in listed):
                    return Clause(Atom(term, "in", tuple(listed)), True, _NOWHERE)
            case "properties":
                return Group(True, tuple(self._properties(term, value, schema, depth)))
            case "minItems" | "maxItems":
                kind = "<" if key == "minItems" else "<="
                size = Atom(("size", *term), kind, value, "integer")
                return Clause(size, key == "maxItems", _NOWHERE)
            case "items" if "prefixItems" not in schema:
                inner = self.of((*term, ELEMENT), value, depth)
                return Clause(Atom(term, "every", inner, "list"), True, _NOWHERE)
        return self._together(term, key, value, schema, depth)

    def _type(self, term: Term, value: Any, schema: Mapping[str, Any]) -> Formula:
        """Say of which type a value is; an object of which no key is named has none."""
        kinds = _kinds(value)
        found: Formula = Clause(Atom(term, "type", kinds), True, _NOWHERE)
        if self._is_known(term, "type", value):
            found = _TRUE
        is_object = "object" in kinds and "properties" not in schema
        return Group(True, (found, self._closed(term, schema))) if is_object else found

    def _together(
        self, term: Term, key: str, value: Any, schema: Mapping[str, Any], depth: int
    ) -> Formula:
        match key:
            case "allOf" | "anyOf":
                return Group(key == "allOf", tuple(self.of(term, part, depth) for part in value))
            case "oneOf" if len(value) <= _MOST:
                parts = [self.of(term, part, depth) for part in value]
                pairs = combinations(map(opposite, parts), 2)
                alone = tuple(Group(False, pair) for pair in pairs)
                return Group(True, (Group(False, tuple(parts)), *alone))
            case "not":
                return opposite(self.of(term, value, depth))
            case "if":
                test = self.of(term, value, depth)
                then, otherwise = (
                    self.of(term, schema.get(name, True), depth) for name in ("then", "else")
                )
                no = Group(True, (opposite(test), otherwise))
                return Group(False, (Group(True, (test, then)), no))
            case "$ref" if isinstance(self.root, Mapping):
                name = str(value).removeprefix("#/$defs/")
                return self.of(term, (self.root.get("$defs") or {}).get(name), depth)
            case "contains":
                counted = [schema.get(name) for name in ("minContains", "maxContains")]
                return self._other(term, key, [value, *counted])
        return self._other(term, key, value)

    def _properties(
        self, term: Term, properties: Mapping[str, Any], schema: Mapping[str, Any], depth: int
    ) -> Iterator[Formula]:
        """Say of each property that it is there, where it must be, and fits."""
        required = schema.get("required")
        for name, below in properties.items():
            optional = isinstance(below, Mapping) and below.get("optional") is True
            inner = (*term, name)
            fits = self.of(inner, below, depth)
            present = Clause(Atom(inner, "present"), True, _NOWHERE)
            if (name in required) if required is not None else not optional:
                yield fits if self._must_be(term, name) else Group(True, (present, fits))
            else:
                yield Group(False, (opposite(present), fits))
        yield self._closed(term, schema)

    def _required(self, term: Term, schema: Mapping[str, Any]) -> Iterator[Formula]:
        """Say of each key that must be there, and of which nothing else is said, that it is.

        It may be null, which is read as if it was not there, so no test can say it.
        """
        for name in schema.get("required") or ():
            if name not in (schema.get("properties") or {}) and not any(
                isinstance(other, Mapping) and name in (other.get("required") or ())
                for other in self.known(term)
            ):
                yield self._other(term, "required", name)

    def _closed(self, term: Term, schema: Mapping[str, Any]) -> Formula:
        """Say that nothing else is there, where a schema takes no other properties."""
        if schema.get("additionalProperties") in (True, {}):
            return _TRUE
        mine = set(schema.get("properties") or ())
        more = schema.get("additionalProperties", False)
        patterns = sorted(schema.get("patternProperties") or ())
        for other in self.known(term) if more is False and not patterns else ():
            if isinstance(other, Mapping) and set(other) <= _PLAIN_OBJECT:
                names = set(other.get("properties") or ()) - mine
                parts = (
                    Clause(Atom((*term, n), "present"), False, _NOWHERE) for n in sorted(names)
                )
                return Group(True, tuple(parts))
        return self._other(term, "additionalProperties", [more, sorted(mine), patterns])

    def _must_be(self, term: Term, name: str) -> bool:
        """Whether a property is there in every value that is known of."""
        for other in self.known(term):
            below = (other.get("properties") or {}) if isinstance(other, Mapping) else {}
            if name not in below:
                continue
            required = other.get("required")
            optional = isinstance(below[name], Mapping) and below[name].get("optional") is True
            if (name in required) if required is not None else not optional:
                return True
        return False

    def _is_known(self, term: Term, key: str, value: Any) -> bool:
        if key in {"if", "$ref", "properties", "items", "contains"}:
            return False  # what they say depends on what stands beside them, or on the root
        return any(
            isinstance(other, Mapping) and key in other and _alike(other[key], value)
            for other in self.known(term)
        )

    def _other(self, term: Term, key: str, value: Any) -> Formula:
        said = f"{'.'.join(term)}: {key}: {json.dumps(value, sort_keys=True, default=str)}"
        return Clause(Atom((), "other", said), True, _NOWHERE)


_PLAIN_OBJECT: Final = frozenset(
    {"type", "properties", "required", "optional", "message", "description", "title"}
)
"""The keywords of a schema that is closed and names all its properties."""


def _tested(term: Term, key: str, value: Any, schema: Mapping[str, Any]) -> Formula:
    """Return when a value passes a keyword that speaks of those of one kind alone."""
    kind, holds = _TESTS[key]
    found = Clause(Atom(term, kind, value), holds, _NOWHERE)
    spoken = _TEXT if kind in {"shortest", "longest", "fits"} else _NUMBERS
    if set(_kinds(schema.get("type"))) <= {"any", *spoken}:
        return found
    others = Clause(Atom(term, "type", spoken), False, _NOWHERE)
    return Group(False, (others, found))


_TEXT: Final = ("string",)
_NUMBERS: Final = ("number", "integer")


def _kinds(named: Any) -> tuple[str, ...]:
    names = named if isinstance(named, list) else [named]
    return tuple(KINDS.get(str(name), "any") for name in names)


def _alike(one: Any, other: Any) -> bool:
    return one == other and json.dumps(one, default=str) == json.dumps(other, default=str)
