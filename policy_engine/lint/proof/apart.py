"""Whether schemas certainly share no value."""

from collections.abc import Mapping
from typing import Any, Final

from policy_engine.lint.proof.demand import demanded
from policy_engine.lint.proof.formula import Term
from policy_engine.lint.proof.schema import at, values_of
from policy_engine.lint.proof.solve import Base, is_impossible
from policy_engine.lint.proof.values import Values

__all__ = ["are_apart", "base_of", "share_no_value"]


_SILENT: Final = frozenset({"type", "title", "description", "default"})
_SINGLE: Final = frozenset({"number", "integer", "string", "boolean", "null"})
_BELOW: Final = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "$ref"})


def share_no_value(*schemas: Any) -> bool:
    """Whether certainly no value fits some schemas together."""
    if values_of(*schemas).is_empty:
        return True
    if all(map(_is_single, schemas)):
        return False  # there is nothing below that a box does not say
    wanted = [demanded(("value",), schema, lambda _: []) for schema in schemas]
    return is_impossible(*wanted, base=base_of(*schemas))


def _is_single(schema: Any) -> bool:
    """Whether a schema speaks of single values alone, with no other schema inside."""
    if not isinstance(schema, Mapping) or not _BELOW.isdisjoint(schema):
        return False
    kind = schema.get("type", "string" if "enum" in schema or "const" in schema else None)
    return isinstance(kind, str) and kind in _SINGLE


def base_of(*schemas: Any) -> Base:
    """Return what the term `value`, and each below it, may be where it fits some schemas."""

    def base(term: Term) -> Values:
        known = [] if term[0] == "size" else [at(schema, term[1:]) for schema in schemas]
        return values_of(*known)

    return base


def are_apart(ours: Any, theirs: Any) -> bool:
    """Whether no value fits both what a policy and what a tool says of an argument."""
    types = [_types(schema) for schema in (ours, theirs)]
    if all(types) and not any(_compatible(a, b) for a in types[0] for b in types[1]):
        return True
    if types[0] == types[1] and set(theirs) <= _SILENT:
        return False  # as most tools have it
    return share_no_value(ours, theirs)


def _types(schema: Any) -> list[str]:
    found = schema.get("type") if isinstance(schema, Mapping) else None
    return [found] if isinstance(found, str) else [str(name) for name in found or ()]


def _compatible(a: str, b: str) -> bool:
    return a == b or {a, b} == {"number", "integer"}
