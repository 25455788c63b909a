"""By which values two schemas differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.lint.proof.demand import demanded
from policy_engine.lint.proof.formula import Formula, Group, Term, opposite
from policy_engine.lint.proof.schema import values_of
from policy_engine.lint.proof.solve import is_impossible
from policy_engine.lint.proof.values import Values
from policy_engine.testing.mutation.alike.kinds import KINDS, Known

__all__ = ["anything", "fits", "fits_not", "is_never", "known_by", "never_both", "where_present"]

_TYPED: Final = frozenset({"string", "bool", "list"})
"""Kinds whose values are read alike, whether their type is declared or not."""


def fits(term: Term, schema: Any) -> Formula:
    """Return when a value fits a schema."""
    return demanded(term, schema, lambda _: [])


def where_present(found: Formula, term: Term) -> Formula:
    """Return a formula as it is where a value is there."""
    if isinstance(found, Group):
        return Group(found.all, tuple(where_present(part, term) for part in found.parts))
    if found.atom.kind == "present" and found.atom.term == term:
        return Group(found.holds, ())
    return found


def fits_not(term: Term, schema: Any) -> Formula:
    """Return when a value does not fit a schema."""
    return opposite(fits(term, schema))


def anything(term: Term) -> Values:
    """Return all that a value may be of which nothing is known."""
    if term[0] != "size":
        return values_of()
    sizes = Values("integer")
    sizes.bound(low=0, is_open=False)
    return sizes


def never_both(*wanted: Formula) -> bool:
    """Whether formulas certainly never hold together."""
    return is_impossible(*wanted, base=anything)


def is_never(term: Term, schema: Any, other: Any) -> bool:
    """Whether no value fits the one schema that does not fit the other."""
    return never_both(fits(term, schema), fits_not(term, other))


@dataclass(frozen=True, slots=True)
class _Place:
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    path: Term


def known_by(root: Term, before: Any, after: Any) -> Known | None:
    """Return the values that only the second of two schemas takes; None where that is not clear.

    What both take must be read alike by conditions under either schema, so numbers, which are
    doubles only where they are declared as such, are none of it.

    Args:
        root: Where the value of the schemas stands.
        before: The schema.
        after: What it is in a mutant.
    """
    place = _narrowed(root, before, after)
    if place is None:
        return None
    mine, its = _without_type(place.before), _without_type(place.after)
    kinds, others = _kinds(place.before), _kinds(place.after)
    if "enum" in mine and "enum" in its and _rest(mine) == _rest(its):
        more = [one for one in its["enum"] if one not in mine["enum"]]
        fewer = [one for one in mine["enum"] if one not in its["enum"]]
        if more and not fewer and all(isinstance(one, str) for one in (*more, *mine["enum"])):
            return Known(place.path, frozenset({"string"}), tuple(more))
        return None
    if mine != its or not kinds < others or not kinds <= _TYPED or _has_numbers(mine):
        return None
    return Known(place.path, others - kinds)


def _has_numbers(schema: Any) -> bool:
    """Whether a number is declared anywhere below."""
    if isinstance(schema, Mapping):
        named = schema.get("type")
        types = named if isinstance(named, list) else [named]
        return bool({"number", "integer"} & set(map(str, types))) or any(
            map(_has_numbers, schema.values())
        )
    return isinstance(schema, list) and any(map(_has_numbers, schema))


def _narrowed(root: Term, before: Any, after: Any) -> _Place | None:
    """Go down to the one property by which two schemas differ."""
    path = root
    while isinstance(before, Mapping) and isinstance(after, Mapping):
        mine, its = before.get("properties"), after.get("properties")
        if not isinstance(mine, Mapping) or not isinstance(its, Mapping) or mine == its:
            return _Place(before, after, path)
        if _rest(before, "properties") != _rest(after, "properties") or mine.keys() != its.keys():
            return None
        differing = [name for name in mine if mine[name] != its[name]]
        if len(differing) != 1:
            return None
        path = (*path, differing[0])
        before, after = mine[differing[0]], its[differing[0]]
    return None


def _rest(schema: Mapping[str, Any], key: str = "enum") -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != key}


def _without_type(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "type"}


def _kinds(schema: Mapping[str, Any]) -> frozenset[str]:
    named = schema.get("type")
    if named is None:
        return frozenset(KINDS.values())
    return frozenset(KINDS[one] for one in (named if isinstance(named, list) else [named]))
