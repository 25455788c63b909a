"""When a value fits a schema, and when it fits one of two and not the other."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy_engine.lint.proof.demand import demanded
from policy_engine.lint.proof.formula import Formula, Group, Term, opposite
from policy_engine.lint.proof.schema import ELEMENT, at

__all__ = ["fits", "fits_not", "only_of"]

_CLOSING: Final = ("properties", "patternProperties", "additionalProperties")
_NAMING: Final = _CLOSING[:2]
_PARTS: Final = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref"})
_TRUE: Final = Group(True, ())
_HOLDING: Final = ("properties", "patternProperties", "$defs")


def fits(term: Term, schema: Any) -> Formula:
    """Return when a value fits a schema."""
    return demanded(term, schema, lambda _: [])


def fits_not(term: Term, schema: Any) -> Formula:
    """Return when a value does not fit a schema."""
    return opposite(fits(term, schema))


def only_of(term: Term, schema: Any, other: Any) -> tuple[Formula, Formula]:
    """Return when a value fits the one schema and not the other.

    What both say in the same words holds already. That is so of which keys an object may have as
    well, as long as each object is told so once and the two schemas say the same of it.
    """
    schema, other = _told(schema), _told(other)
    closing = _closing(schema)
    if closing is None or closing != _closing(other):
        if _has_parts(schema) or _has_parts(other):
            return _TRUE, _TRUE  # nothing is known of the keys that a part leaves to others
        return fits(term, schema), fits_not(term, other)

    def known(one: Term) -> list[Any]:
        below = at(schema, one[len(term) :]) if one[: len(term)] == term else None
        return [] if below is None else [below]

    return fits(term, schema), opposite(demanded(term, other, known))


def _has_parts(schema: Any) -> bool:
    """Whether several schemas judge one value, here or below."""
    if isinstance(schema, list):
        return any(map(_has_parts, schema))
    if not isinstance(schema, Mapping):
        return False
    return not _PARTS.isdisjoint(schema) or any(map(_has_parts, schema.values()))


def _told(schema: Any) -> Any:
    """Say of a schema what it means: how many elements differ, which numbers are whole."""
    if not isinstance(schema, Mapping):
        return schema
    named, step = schema.get("type"), schema.get("multipleOf")
    if isinstance(step, int) and isinstance(named, str | list):
        types = [named] if isinstance(named, str) else named
        whole = ["integer" if one == "number" else one for one in types]
        schema = {**schema, "type": list(dict.fromkeys(whole))}
    items = schema.get("items")
    if schema.get("uniqueItems") is True and isinstance(items, Mapping) and "enum" in items:
        most = len(items["enum"])
        return {**schema, "maxItems": min(schema.get("maxItems", most), most)}
    held = schema.get("properties")
    if isinstance(held, Mapping):
        return {**schema, "properties": {name: _told(below) for name, below in held.items()}}
    return schema


def _closing(schema: Any) -> dict[Term, Any] | None:
    """Return what schemas say of the keys of each object; None where one is told so twice."""
    found: dict[Term, Any] = {}
    for path, said in _closed(schema, ()):
        if path and path in found:
            return None
        found.setdefault(path, []).append(said)
    return found


def _closed(schema: Any, path: Term) -> Iterator[tuple[Term, Any]]:
    if isinstance(schema, list):
        for part in schema:
            yield from _closed(part, path)
    if not isinstance(schema, Mapping):
        return
    said = {key: schema[key] for key in _CLOSING if key in schema}
    if said:
        names = {key: sorted(said[key]) for key in _NAMING if isinstance(said.get(key), Mapping)}
        yield path, {**said, **names}
    for key, below in schema.items():
        if key in _HOLDING and isinstance(below, Mapping):
            for name, one in below.items():
                yield from _closed(one, (*path, name))
        elif isinstance(below, Mapping | list) and key not in {"enum", "const", "required"}:
            inner = (*path, ELEMENT) if key in {"items", "prefixItems", "contains"} else path
            yield from _closed(below, inner)
