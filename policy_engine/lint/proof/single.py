"""Single values: which are equal, of which kind they are, and whether they pass a test."""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from policy_engine.lint.proof.regexes import search

__all__ = [
    "Listed",
    "is_among",
    "is_kind",
    "is_multiple",
    "is_number",
    "number",
    "passes",
    "plain",
    "same",
]  # fmt: skip


def same(a: object, b: object) -> bool:
    """Whether two values are equal as expressions compare them: true is not 1."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def is_among(value: object, values: Iterable[object]) -> bool:
    """Whether a value equals one of some, as expressions compare them."""
    return any(same(value, other) for other in values)


class Listed:
    """Some values, of which many are asked for: `in` tells what `is_among` tells."""

    __slots__ = ("_keys", "_others")

    def __init__(self, values: Iterable[object] = ()) -> None:
        self._keys: set[tuple[bool, object]] = set()
        self._others: list[object] = []
        for value in values:
            self.add(value)

    def __contains__(self, value: object) -> bool:
        if _has_key(value):
            return (isinstance(value, bool), value) in self._keys
        return is_among(value, self._others)

    def add(self, value: object) -> None:
        """Take in one more value."""
        if _has_key(value):
            self._keys.add((isinstance(value, bool), value))
        else:
            self._others.append(value)


def _has_key(value: object) -> bool:
    """Whether a set finds a value as `same` does: no list, no object, and not NaN."""
    if isinstance(value, float):
        return not math.isnan(value)
    return value is None or isinstance(value, str | int)


def is_number(value: object) -> bool:
    """Whether a value is a number: true is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "number": (int, float),
    "integer": (int, float),
    "string": (str,),
    "null": (type(None),),
    "array": (list, tuple),
    "object": (dict,),
}


def is_kind(value: object, kind: str) -> bool:
    """Whether a value is of a kind."""
    if kind == "any":
        return True
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    return isinstance(value, _TYPES[kind])


def is_multiple(value: float, step: float) -> bool:
    """Whether a number is a multiple of another; where doubles round, it is taken for one."""
    if value in (math.inf, -math.inf):
        return False
    if value == math.floor(value) and step == math.floor(step):
        return int(value) % int(step) == 0
    try:
        parts = value / step
    except OverflowError:
        return True
    return math.isinf(parts) or abs(parts - round(parts)) < 1e-6


def number(exact: Fraction | int) -> float:
    """Return a fraction as the number that it is."""
    return int(exact) if exact == int(exact) else float(exact)


def plain(value: float) -> float:
    """Return a number as people write it."""
    if abs(value) < 1e15 and value == math.floor(value):
        return int(value)
    return round(value, 6)


def passes(kind: str, text: str, value: str) -> bool | None:
    """Whether a text has a piece; None where that cannot be told."""
    match kind:
        case "prefix":
            return value.startswith(text)
        case "suffix":
            return value.endswith(text)
        case "contains":
            return text in value
        case "equals":
            return text == value
    if kind == "fits" and "[:" in text:
        return None  # a class by name is none in a schema
    return search(text, value)
