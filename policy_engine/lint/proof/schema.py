"""From a JSON Schema to the values that it admits, and to one of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from policy_engine.lint.proof.values import Values

__all__ = ["at", "narrow", "sampled", "values_of"]

_KINDS: Final = {"number": "number", "integer": "integer", "string": "string", "boolean": "bool"}
_FORMATS: Final = {
    "date": "2026-01-05",
    "date-time": "2026-01-05T10:00:00Z",
    "duration": "PT1H",
    "email": "someone@example.com",
    "hostname": "example.com",
    "idn-email": "someone@example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "iri": "https://example.com/",
    "iri-reference": "https://example.com/",
    "json-pointer": "/a",
    "regex": "a",
    "relative-json-pointer": "0",
    "time": "10:00:00Z",
    "uri": "https://example.com/",
    "uri-reference": "https://example.com/",
    "uri-template": "https://example.com/{a}",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEPTH: Final = 6


def values_of(*schemas: Any) -> Values:
    """Return the values that schemas admit together; one that says nothing admits any."""
    values = Values()
    for schema in schemas:
        narrow(values, schema)
    return values


def narrow(values: Values, schema: Any) -> None:
    """Leave only the values that a schema admits."""
    if not isinstance(schema, Mapping):
        return
    kind = _KINDS.get(schema["type"]) if isinstance(schema.get("type"), str) else None
    if kind is not None:
        _take_kind(values, kind)
    if "const" in schema:
        values.choose([schema["const"]])
    if isinstance(schema.get("enum"), list):
        values.choose(schema["enum"])
    for key, is_low, is_open in _BOUNDS:
        bound = schema.get(key)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            values.bound(**{"low" if is_low else "high": bound}, is_open=is_open)
    values.shortest = max(values.shortest, int(schema.get("minLength", 0)))
    values.longest = min(
        values.longest,
        schema.get("maxLength", values.longest),
        schema.get("maxBytes", values.longest),
    )
    if isinstance(schema.get("pattern"), str):
        present = values.present
        values.test("matches", schema["pattern"], holds=True)
        values.present = present
    for below in schema.get("allOf", ()):
        narrow(values, below)
    _alternatives(values, schema.get("anyOf") or schema.get("oneOf"))


_BOUNDS: Final = (
    ("minimum", True, False),
    ("exclusiveMinimum", True, True),
    ("maximum", False, False),
    ("exclusiveMaximum", False, True),
)


def _take_kind(values: Values, kind: str) -> None:
    both = {values.kind, kind}
    if both == {"number", "integer"}:
        values.kind = "integer"
    elif values.kind == "any":
        values.kind = kind
    elif values.kind != kind:
        values.choose(())


def _alternatives(values: Values, branches: Any) -> None:
    """Take alternatives where each of them is a list of values."""
    listed: list[Any] = []
    for branch in branches or ():
        if not isinstance(branch, Mapping):
            return
        if "const" in branch:
            listed.append(branch["const"])
        elif isinstance(branch.get("enum"), list):
            listed.extend(branch["enum"])
        else:
            return
    if branches:
        values.choose(listed)


def at(schema: Any, path: Iterable[str]) -> Any:
    """Return the schema of a property below one; None where nothing is said of it."""
    for step in path:
        properties = schema.get("properties") if isinstance(schema, Mapping) else None
        schema = properties.get(step) if isinstance(properties, Mapping) else None
    return schema


def sampled(schemas: Sequence[Any], values: Values | None = None, depth: int = 0) -> Any:
    """Return a plain value that schemas probably admit together, within some values if given."""
    described = [schema for schema in schemas if isinstance(schema, Mapping)]
    kinds = {schema["type"] for schema in described if isinstance(schema.get("type"), str)}
    if "array" in kinds and depth < _DEPTH:
        return _array(described, depth)
    if "object" in kinds and depth < _DEPTH:
        return _object(described, depth)
    formats = [schema["format"] for schema in described if schema.get("format") in _FORMATS]
    left = values_of(*described) if values is None else values
    if formats and (values is None or left.admits(_FORMATS[formats[0]])):
        return _FORMATS[formats[0]]
    return next(left.candidates(), None if "null" in kinds else "x")


def _array(schemas: Sequence[Mapping[str, Any]], depth: int) -> list[Any]:
    least = max((schema.get("minItems", 0) for schema in schemas), default=0)
    first = [schema["prefixItems"] for schema in schemas if "prefixItems" in schema]
    if first:
        return [sampled([item], depth=depth + 1) for item in first[0]]
    items = [schema["items"] for schema in schemas if "items" in schema]
    wanted = [schema["contains"] for schema in schemas if "contains" in schema]
    most = min((schema.get("maxItems", 1) for schema in schemas), default=1)
    count = max(least, min(1, most), len(wanted))
    return [sampled(items + wanted[i : i + 1], depth=depth + 1) for i in range(min(count, 50))]


def _object(schemas: Sequence[Mapping[str, Any]], depth: int) -> dict[str, Any]:
    names: dict[str, list[Any]] = {}
    for schema in schemas:
        for name, below in (schema.get("properties") or {}).items():
            names.setdefault(name, []).append(below)
    return {
        name: sampled(below, depth=depth + 1)
        for name, below in names.items()
        if not any(isinstance(b, Mapping) and b.get("optional") is True for b in below)
    }
