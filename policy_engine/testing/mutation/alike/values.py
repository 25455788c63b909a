"""By which values two schemas differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.lint.proof.formula import Formula, Group, Term, TooManyError, conjunctions
from policy_engine.lint.proof.schema import ELEMENT, values_of
from policy_engine.lint.proof.solve import cases, is_impossible
from policy_engine.lint.proof.values import Values
from policy_engine.testing.mutation.alike.kinds import KINDS, Known
from policy_engine.testing.mutation.alike.ranges import Range, range_of
from policy_engine.testing.search.fitting import only_of

__all__ = [
    "Difference",
    "anything",
    "difference",
    "is_never",
    "is_optional",
    "never_both",
    "where_present",
]

_EXACT: Final = 2**53
"""Up to here every whole number is a double."""
_WHOLE: Final = 2**63
"""Below it a number that is declared to be whole can be read."""
_MOST: Final = 16
"""So many ways in which two schemas differ are looked at."""
_OF_VALUES: Final = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum"),
        *("minLength", "maxLength", "maxBytes", "pattern", "format", "check", "optional"),
        *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    }
)
"""Keywords that leave values of which types there may be."""


def where_present(found: Formula, term: Term) -> Formula:
    """Return a formula as it is where a value is there."""
    if isinstance(found, Group):
        return Group(found.all, tuple(where_present(part, term) for part in found.parts))
    if found.atom.kind == "present" and found.atom.term == term:
        return Group(found.holds, ())
    return found


def anything(term: Term) -> Values:
    """Return all that a value may be of which nothing is known."""
    if term[0] != "size":
        return values_of()
    sizes = Values("integer")
    sizes.bound(low=0, is_open=False)
    return sizes


def never_both(*wanted: Formula) -> bool:
    """Whether formulas certainly never hold together."""
    try:
        return next(cases(*wanted, base=anything), None) is None
    except TooManyError:
        pass
    first, *rest = wanted
    try:
        ways = conjunctions(first)
    except TooManyError:
        return False
    return all(is_impossible(Group(True, way), *rest, base=anything) for way in ways)


def is_never(term: Term, schema: Any, other: Any) -> bool:
    """Whether no value fits the one schema that does not fit the other."""
    return never_both(*only_of(term, schema, other))


def is_optional(schema: Any) -> bool:
    """Whether a value may be absent."""
    return isinstance(schema, Mapping) and schema.get("optional") is True


@dataclass(frozen=True, slots=True)
class Difference:
    """The one place by which two schemas differ."""

    path: Term
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def retypes(self) -> bool:
        """Whether values may be of other types."""
        keys = {**self.before, **self.after}
        return any(self.before.get(key) != self.after.get(key) for key in keys.keys() - _OF_VALUES)

    @property
    def has_numbers(self) -> bool:
        """Whether a number was declared, here or below."""
        return _has_numbers(self.before)

    @property
    def huge(self) -> list[Known]:
        """What both take and only the second reads: numbers that are no double, or too large."""
        found = range_of(values_of(self.before))
        beyond = []
        most = _WHOLE - 1 if self.before.get("type") == "integer" else _EXACT
        least = -_WHOLE if self.before.get("type") == "integer" else -_EXACT
        if found.high > most:
            beyond.append(Range(max(most, found.low), found.high, low_open=True))
        if found.low < least:
            beyond.append(Range(found.low, min(least, found.high), high_open=True))
        return [Known(self.path, frozenset({"number"}), range=one) for one in beyond]

    def known(self, *, is_optional: bool) -> Known | None:
        """Return what only the second schema takes; None where that is not clear.

        Args:
            is_optional: Whether nothing was taken for the whole value before.
        """
        mine, its = _rest(self.before, "type"), _rest(self.after, "type")
        if "enum" in mine and "enum" in its and _rest(mine, "enum") == _rest(its, "enum"):
            return self._listed(mine["enum"], its["enum"])
        if self.before == {"type": "string", **self.after, "format": "date-time"} != self.after:
            return Known(self.path, frozenset({"string"}), is_time=False)
        kinds, others = _kinds(self.before), _kinds(self.after)
        if mine == its and _is_broken(self.before, self.after):
            return Known(self.path, frozenset({"number"}), is_broken=True)
        if mine != its or kinds == others:
            return self._numbers()
        more = others - kinds - ({"null"} if is_optional else set())
        return Known(self.path, more) if kinds < others else None

    def _listed(self, mine: Sequence[Any], its: Sequence[Any]) -> Known | None:
        more = [one for one in its if one not in mine]
        fewer = [one for one in mine if one not in its]
        if more and not fewer and all(isinstance(one, str) for one in (*more, *mine)):
            return Known(self.path, frozenset({"string"}), tuple(more))
        return None

    def _numbers(self) -> Known | None:
        """Return between which numbers all lies that is taken as well, if it is numbers."""
        term = ("value",)
        found: list[Range] = []
        try:
            for case in cases(*only_of(term, self.after, self.before), base=anything):
                values = case.values.get(term)
                if values is None or len(found) >= _MOST or not _are_numbers(values):
                    return None
                found.append(range_of(values))
        except TooManyError:
            return None
        if not found:
            return None
        lowest = min(found, key=lambda one: (one.low, one.low_open))
        highest = max(found, key=lambda one: (one.high, not one.high_open))
        whole = Range(lowest.low, highest.high, lowest.low_open, highest.high_open)
        return Known(self.path, frozenset({"number"}), range=whole)


def _is_broken(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether only numbers that are not whole are taken as well."""
    types = [one.get("type") for one in (before, after)]
    mine, its = ({one} if isinstance(one, str) else set(one or ()) for one in types)
    return "integer" in mine and its - mine == {"number"} and mine <= its


def _are_numbers(values: Values) -> bool:
    left = [box for box in values.boxes if not box.is_empty]
    return bool(left) and all(box.kind in {"number", "integer"} for box in left)


def difference(root: Term, before: Any, after: Any) -> Difference | None:
    """Go down to the one place by which two schemas differ; None where there is none such.

    Args:
        root: Where the value of the schemas stands.
        before: The schema.
        after: What it is in a mutant.
    """
    path = root
    while isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        if keys == ["items"] and "prefixItems" not in before:
            path, before, after = (*path, ELEMENT), before.get("items"), after.get("items")
            continue
        if keys != ["properties"]:
            return Difference(path, before, after)
        mine, its = before.get("properties"), after.get("properties")
        if not isinstance(mine, Mapping) or not isinstance(its, Mapping):
            return None
        differing = [name for name in {**mine, **its} if mine.get(name) != its.get(name)]
        if mine.keys() != its.keys() or len(differing) != 1:
            return None
        path = (*path, differing[0])
        before, after = mine[differing[0]], its[differing[0]]
    return None


def _has_numbers(schema: Any) -> bool:
    """Whether a number is declared anywhere below."""
    if isinstance(schema, Mapping):
        named = schema.get("type")
        types = named if isinstance(named, list) else [named]
        return bool({"number", "integer"} & set(map(str, types))) or any(
            map(_has_numbers, schema.values())
        )
    return isinstance(schema, list) and any(map(_has_numbers, schema))


def _rest(schema: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != key}


def _kinds(schema: Mapping[str, Any]) -> frozenset[str]:
    named = schema.get("type")
    if named is None:
        return frozenset(KINDS.values())
    return frozenset(KINDS[one] for one in (named if isinstance(named, list) else [named]))
