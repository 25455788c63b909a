"""Schemas that list values worth trying: what their checks look for, and what is long."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy_engine.checks import CHECKS
from policy_engine.testing.coverage.odd import texts
from policy_engine.testing.search.values import plain

__all__ = ["fitting_parts", "hinted", "with_more_keys"]

_LONG: Final = 2_000_000
_WIDE: Final = 20_000
_IN_PLACE: Final = frozenset({"allOf", "anyOf", "oneOf", "if", "then", "else", "not"})
_MAPS: Final = ("properties", "patternProperties", "$defs")
_VERBATIM: Final = ("enum", "const", "default", "examples", "check")


def hinted(schema: Any) -> Any:
    """Return a schema that lists values worth trying: what its checks look for, what is long."""
    if isinstance(schema, list):
        return [hinted(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: _below(key, value) for key, value in schema.items()}
    hints = list(_hints(schema))
    if hints:
        found["enum"] = [plain(schema), *(schema.get("enum") or ()), *hints]
    return found


def with_more_keys(value: Any) -> Iterator[Any]:
    """Yield a value in which one of its mappings holds a key that nothing declares."""
    if isinstance(value, dict):
        yield {**value, "another": 1}
        for key, below in value.items():
            yield from ({**value, key: one} for one in with_more_keys(below))
    elif isinstance(value, list):
        for i, below in enumerate(value):
            yield from ([*value[:i], one, *value[i + 1 :]] for one in with_more_keys(below))


def fitting_parts(schema: Any) -> Iterator[Any]:
    """Yield values that keep what one of the parts of a schema says beside the rest of it."""
    if not isinstance(schema, Mapping):
        return
    bare = {key: value for key, value in schema.items() if key not in _IN_PLACE}
    chosen = [[schema.get("if"), schema.get("then")], [schema.get("else")]]
    chosen.extend([one] for key in ("anyOf", "oneOf") for one in schema.get(key) or ())
    whole = list(schema.get("allOf") or ())
    for parts in chosen:
        merged: Mapping[str, Any] = bare
        for part in (*whole, *parts):
            merged = _merged(merged, part)
        yield plain(merged)


def _merged(schema: Mapping[str, Any], other: Any) -> Mapping[str, Any]:
    """Return a schema that says what two say; where both say it, as the second does."""
    if not isinstance(other, Mapping):
        return schema
    found = {**schema, **{key: one for key, one in other.items() if key not in _IN_PLACE}}
    mine, its = schema.get("properties"), other.get("properties")
    if isinstance(mine, Mapping) and isinstance(its, Mapping):
        both = {name: _merged(mine[name], its[name]) for name in mine.keys() & its.keys()}
        found["properties"] = {**mine, **its, **both}
    return found


def _below(key: str, value: Any) -> Any:
    if key in _VERBATIM:
        return value
    if key in _MAPS and isinstance(value, Mapping):
        return {name: hinted(below) for name, below in value.items()}
    return hinted(value)


def _hints(schema: Mapping[str, Any]) -> Iterator[Any]:
    for kind, given in (schema.get("check") or {}).items():
        yield from texts({kind: CHECKS[kind].options.model_validate(given)})
    for key in ("maxLength", "maxBytes", "minLength"):
        bound = schema.get(key)
        if isinstance(bound, int) and _WIDE <= bound < _LONG:
            yield "a" * (bound + 1)
    for key in ("maxItems", "minItems"):
        bound = schema.get(key)
        if isinstance(bound, int) and 2_000 < bound <= _WIDE:
            yield [plain(schema.get("items"))] * (bound + 1)
    for key in ("maxProperties", "minProperties"):
        bound = schema.get(key)
        if isinstance(bound, int) and 99 <= bound <= _WIDE:
            yield {f"a{i}": plain(schema.get("additionalProperties")) for i in range(bound + 1)}
    step = schema.get("multipleOf")
    if isinstance(step, int | float):
        bounds = (schema.get(key) for key in ("minimum", "exclusiveMinimum", "maximum"))
        near = [bound for bound in (*bounds, 0) if isinstance(bound, int | float)]
        yield from (bound + way * step / 2 for bound in near for way in (1, -1))
        yield from (bound + way for bound in near for way in (1, -1))
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        yield "\x00 \n"
