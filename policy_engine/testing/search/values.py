"""Values about the bounds of a schema: what it just takes, and what it just does not."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from policy_engine.lint.proof.regexes import sample, search
from policy_engine.testing.search.sample import OTHER

__all__ = ["edited", "plain", "values_of"]

_MOST: Final = 20_000
"""A longer text is not made up."""
_WIDE: Final = 2_000
"""Nor is a longer list."""
_DEEP: Final = 6
_MANY: Final = 100
"""So many names of properties are made up."""
_EDITED: Final = 80
"""So many places of a text are edited one by one."""
_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_HERE: Final = ("anyOf", "oneOf", "allOf")
_LISTS: Final = ("minItems", "maxItems", "minContains", "maxContains")
_SIZES: Final = ("minProperties", "maxProperties")

_Make: TypeAlias = Callable[[Mapping[str, Any], int], Any]
_FORMATS: Final[Mapping[str, str]] = {
    "date": "2026-01-05",
    "date-time": "2026-01-05T10:00:00Z",
    "duration": "P1D",
    "email": "a@example.com",
    "hostname": "example.com",
    "idn-email": "a@example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "iri": "https://example.com/",
    "iri-reference": "/",
    "json-pointer": "/a",
    "regex": "a",
    "relative-json-pointer": "0/a",
    "time": "10:00:00Z",
    "uri": "https://example.com/",
    "uri-reference": "/",
    "uri-template": "/{a}",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}


def values_of(schema: Any, value: Any, *, near: bool = False) -> Iterator[Any]:
    """Yield values about the bounds of a schema.

    Args:
        schema: As it is written.
        value: One that it takes.
        near: Whether each place of a text is tried.
    """
    return _About(near).values(schema, value, 0)


def plain(schema: Any, depth: int = 0) -> Any:
    """Return a value that a schema probably takes."""
    if not isinstance(schema, Mapping) or depth > _DEEP:
        return OTHER
    if schema.get("enum"):
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind is None and "properties" not in schema:
        parts = next((schema[part] for part in _HERE if schema.get(part)), None)
        return OTHER if parts is None else plain(parts[0], depth + 1)
    if kind in ("boolean", "null"):
        return True if kind == "boolean" else None
    make: _Make = _PLAIN.get(str(kind), _plain_object)
    return make(schema, depth)


def _plain_text(schema: Mapping[str, Any], _depth: int) -> str:
    pattern = schema.get("pattern")
    formed = _FORMATS.get(schema.get("format", ""))
    if formed is not None and (pattern is None or search(pattern, formed) is True):
        return formed
    texts = () if pattern is None else sample(pattern)
    least = min(schema.get("minLength", 1), _MOST)
    for text in texts:
        longer: str = text + text[-1:] * (least - len(text))
        if len(longer) >= least and search(str(pattern), longer) is True:
            return longer
    return texts[0] if texts else "a" * max(1, least)


def _plain_list(schema: Mapping[str, Any], depth: int) -> list[Any]:
    first = [plain(below, depth + 1) for below in schema.get("prefixItems") or ()]
    least = max(min(schema.get("minItems", 1), _WIDE), 1) - len(first)
    items = schema.get("items")
    listed = items.get("enum") if isinstance(items, Mapping) else None
    if schema.get("uniqueItems") and listed and least > 1:
        return [*first, *listed[:least]]
    return [*first, *[plain(items, depth + 1)] * least]


def _plain_object(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    made = {name: plain(below, depth + 1) for name, below in properties.items()}
    more = [name for name in _names(schema) if name not in made]
    least = min(schema.get("minProperties", 0), _WIDE) - len(made)
    item = plain(schema.get("additionalProperties"), depth + 1)
    return {**made, **dict.fromkeys(more[: max(0, least)], item)}


def _plain_number(schema: Mapping[str, Any], _depth: int) -> float:
    """Return a number that the bounds of a schema take, and its step if there is one."""
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    most = schema.get("maximum", least)
    step = schema.get("multipleOf", 1)
    for number in (min(least, most), (schema.get("exclusiveMinimum", 0) + most) / 2):
        if number > schema.get("exclusiveMinimum", -math.inf):
            break
    if step > 1 and number % step:
        number = number - number % step + step
    return number  # type: ignore[no-any-return]


_PLAIN: Final[Mapping[str, _Make]] = {
    "number": _plain_number,
    "integer": _plain_number,
    "string": _plain_text,
    "array": _plain_list,
}


def _names(schema: Mapping[str, Any]) -> list[str]:
    """Return names that an object may have."""
    named = schema.get("propertyNames")
    listed = named.get("enum") if isinstance(named, Mapping) else None
    return listed or [f"a{i}" for i in range(_MANY)]


def _numbers(schema: Mapping[str, Any], value: Any) -> Iterator[Any]:
    for key in _BOUNDS:
        bound = schema.get(key)
        if isinstance(bound, int | float):
            yield from (bound, bound - 1, bound + 1, bound - 0.5, bound + 0.5)
    listed = schema.get("enum")
    if listed and all(isinstance(v, int | float) for v in listed):
        yield max(listed) + 1
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from (value, value + 0.5, -value, str(value))


def _strings(schema: Mapping[str, Any], value: Any, *, near: bool) -> Iterator[str]:
    text = value if isinstance(value, str) else "a"
    yield ""
    for key in ("minLength", "maxLength", "maxBytes"):
        bound = schema.get(key)
        if isinstance(bound, int) and bound <= _MOST:
            for length in (bound - 1, bound, bound + 1):
                if length >= 0:
                    yield _sized(text, length)
                    yield "a" * length
    for tail in ("!", "\n", " x", text[-1:]):
        yield text + tail
    for head in ("!", "\n", "x ", text[:1]):
        yield head + text
    yield text[:-1]
    yield text[1:]
    texts = sample(schema["pattern"]) if "pattern" in schema else ()
    yield from texts
    for one in dict.fromkeys((text, *texts)) if near else ():
        yield from edited(one)


def edited(text: str) -> Iterator[str]:
    """Yield a text with single signs changed, doubled, or gone."""
    for i in range(min(len(text), _EDITED)):
        for sign in ("!", " ", "A", "/", "@", "é", ""):
            yield text[:i] + sign + text[i + 1 :]
        for more in (text[i], text[i] * 2, text[i] * 30):
            yield text[:i] + more + text[i:]
    for i in range(min(len(text), _EDITED)):
        for j in range(i + 1, min(len(text), i + 12)):
            yield text[:i] + text[j:]


def _sized(text: str, length: int) -> str:
    """Return a text of a length by repeating a character in its middle."""
    if len(text) >= length or not text:
        return text[:length]
    middle = len(text) // 2
    return text[:middle] + text[middle] * (length - len(text)) + text[middle:]


@dataclass(frozen=True, slots=True)
class _About:
    """Makes values about the bounds of schemas."""

    near: bool

    def values(self, schema: Any, value: Any, depth: int) -> Iterator[Any]:
        """Yield values about the bounds of a schema that stands so deep."""
        if not isinstance(schema, Mapping) or depth > _DEEP:
            return
        yield from schema.get("enum") or ()
        if "const" in schema:
            yield schema["const"]
        yield from (OTHER, {"unlike": [1]}, [], True, False, 7, None)
        yield from _numbers(schema, value)
        kinds = schema.get("type")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if "string" in kinds:
            yield from _strings(schema, value, near=self.near)
        if "array" in kinds:
            yield from self._lists(schema, value, depth + 1)
        if "object" in kinds:
            for base in (value, plain(schema)):
                if isinstance(base, dict):
                    yield from self._objects(schema, base, depth + 1)
        yield from self._parts(schema, value, depth + 1)

    def _lists(self, schema: Mapping[str, Any], value: Any, depth: int) -> Iterator[list[Any]]:
        items = value if isinstance(value, list) and value else plain(schema)
        if not isinstance(items, list) or not items:
            return
        for length in _lengths(schema, _LISTS):
            yield (items * (length // len(items) + 1))[:length]
            yield [f"a{i}" for i in range(length)]
            yield [plain(schema.get("contains"), depth)] * length
        yield [*items, items[0]]
        yield [*items, OTHER]
        for i, below in enumerate((schema.get("prefixItems") or ())[: len(items)]):
            for item in self.values(below, items[i], depth):
                yield [*items[:i], item, *items[i + 1 :]]
        for below in (schema.get("items"), schema.get("contains")):
            for item in self.values(below, items[-1], depth):
                yield from ([item], [*items, item], [*items[:-1], item])

    def _objects(
        self, schema: Mapping[str, Any], base: dict[str, Any], depth: int
    ) -> Iterator[dict[str, Any]]:
        yield base
        yield {**base, "another": OTHER}
        names = _names(schema)
        made = plain(schema.get("additionalProperties"), depth)
        for length in _lengths(schema, _SIZES):
            yield dict.fromkeys(names[:length], made)
            yield dict(islice(base.items(), length))
        for name, below in (schema.get("properties") or {}).items():
            yield {key: item for key, item in base.items() if key != name}
            for item in self.values(below, base.get(name), depth):
                yield {**base, name: item}
        for pattern, below in (schema.get("patternProperties") or {}).items():
            for name in sample(pattern):
                for item in self.values(below, plain(below), depth):
                    yield {**base, name: item}
        for item in self.values(schema.get("additionalProperties"), OTHER, depth):
            yield {**base, "another": item}
            yield {**base, names[0]: item}
        for name in self.values(schema.get("propertyNames"), "a", depth):
            if isinstance(name, str):
                yield {**base, name: made}

    def _parts(self, schema: Mapping[str, Any], value: Any, depth: int) -> Iterator[Any]:
        """Yield values about the schemas that judge the same value."""
        parts = [part for key in _HERE for part in schema.get(key) or ()]
        parts.extend(schema[key] for key in ("not", "if") if key in schema)
        parts.extend((schema.get("$defs") or {}).values() if "$ref" in schema else ())
        for part in parts:
            merged = _merged(value, plain(_typed(part, schema), depth))
            yield merged
            yield from self.values(_typed(part, schema), merged, depth)
        for key in ("then", "else"):
            # What they say of a value for which `if` holds, and of one for which it does not.
            for base in (_merged(value, plain(schema.get("if"), depth)), value):
                if key in schema:
                    yield from self.values(_typed(schema[key], schema), base, depth)


def _lengths(schema: Mapping[str, Any], keys: Iterable[str]) -> Iterator[int]:
    for key in keys:
        bound = schema.get(key)
        if isinstance(bound, int) and bound <= _WIDE:
            yield from (length for length in (bound - 1, bound, bound + 1) if length >= 0)


def _merged(value: Any, made: Any) -> Any:
    return {**value, **made} if isinstance(value, dict) and isinstance(made, dict) else made


def _typed(part: Any, schema: Mapping[str, Any]) -> Any:
    """Return a part with the type that the schema around it gives it."""
    if isinstance(part, Mapping) and "type" not in part and "type" in schema:
        return {"type": schema["type"], **part}
    return part
