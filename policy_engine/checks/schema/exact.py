"""Values that are JSON to the letter: no look-alike types, NaN, infinity or loops."""

from types import NoneType
from typing import Final

__all__ = ["MAX_DEPTH", "is_json", "is_json_object"]

MAX_DEPTH: Final = 100
"""How deep objects and arrays may nest. The validator is native code: what recurses in it
without bound would end the process."""

_ATOMS: Final = frozenset({str, int, bool, NoneType})


def is_json(value: object, depth: int = MAX_DEPTH) -> bool:
    """Tell whether a value is built of exactly str, int, float, bool, None, list and dict.

    Subclasses, tuples, sets and enumerations are not JSON here: they may say one thing to a
    check and another to the tool.
    """
    kind = type(value)
    if kind is dict:
        return depth > 0 and is_json_object(value, depth - 1)  # type: ignore[arg-type]
    if kind is list:
        return depth > 0 and _is_json_array(value, depth - 1)  # type: ignore[arg-type]
    if kind is float:
        return value - value == 0.0  # type: ignore[operator,no-any-return]
    return kind in _ATOMS


def is_json_object(value: dict[object, object], depth: int = MAX_DEPTH) -> bool:
    """Tell whether the keys of a dict are str and its values JSON; the hot path of a call."""
    for key, item in value.items():
        if type(key) is not str:
            return False
        kind = type(item)
        if kind is str or kind is int or kind is bool or item is None:
            continue
        if kind is float:
            if item - item != 0.0:  # type: ignore[operator]
                return False  # NaN or an infinity
        elif not is_json(item, depth):
            return False
    return True


def _is_json_array(items: list[object], depth: int) -> bool:
    return _ATOMS.issuperset(map(type, items)) or all(is_json(item, depth) for item in items)
