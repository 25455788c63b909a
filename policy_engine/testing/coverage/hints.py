"""Schemas that list values worth trying: what their checks look for, and what is long."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policy_engine.checks import CHECKS
from policy_engine.testing.coverage.odd import texts
from policy_engine.testing.search.values import plain

__all__ = ["hinted"]

_LONG: Final = 2_000_000
_WIDE: Final = 20_000
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
