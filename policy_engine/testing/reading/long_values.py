"""Long values, written short: `{$text: ["a@", [b, 250]]}`, `{$list: [item, 51]}`."""

from typing import Any, Final

from policy_engine.source import Path
from policy_engine.testing.reading.fields import Fields

__all__ = ["MAX_SIZE", "expanded"]

MAX_SIZE: Final = 1_000_000
"""How many characters or items one of them may have."""
_TEXT: Final = "$text"
_LIST: Final = "$list"


def expanded(fields: Fields, path: Path, value: Any) -> Any:
    """Return a value in which every long value is written out."""
    if isinstance(value, list):
        return [expanded(fields, (*path, i), item) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if set(value) == {_TEXT}:
        return _text(fields, (*path, _TEXT), value[_TEXT])
    if set(value) == {_LIST}:
        return _list(fields, (*path, _LIST), value[_LIST])
    return {key: expanded(fields, (*path, key), item) for key, item in value.items()}


def _text(fields: Fields, path: Path, parts: Any) -> str:
    pieces: list[str] = []
    count = 0
    for i, part in enumerate(fields.items(path, parts, "its parts")):
        match part:
            case str():
                pieces.append(part)
            case [str() as text, int() as times] if 0 <= times * len(text) <= MAX_SIZE:
                pieces.append(text * times)
            case _:
                message = "a part of a long text is a text, or a text and how often"
                hint = 'write it such as ["a@", [b, 250], ".com"]'
                fields.fault((*path, i), "PE009", message, hint)
        count += len(pieces[-1]) if pieces else 0
        if count > MAX_SIZE:
            fields.fault(path, "PE009", f"a text has at most {MAX_SIZE:,} characters", "shorten it")
            break
    return "".join(pieces)


def _list(fields: Fields, path: Path, parts: Any) -> list[Any]:
    match parts:
        case [item, int() as times] if 0 <= times <= MAX_SIZE:
            one = expanded(fields, (*path, 0), item)
            if times * _size(one) <= MAX_SIZE:
                return [one] * times
            message = f"a list has at most {MAX_SIZE:,} items and characters in all"
            fields.fault(path, "PE009", message, "shorten it")
            return []
    fields.fault(path, "PE009", "a long list is an item and how often", "write it such as [a, 51]")
    return []


def _size(value: Any) -> int:
    """Return how many items and characters a value has; nothing has none."""
    if isinstance(value, str):
        return max(1, len(value))
    if isinstance(value, list):
        # Where it was repeated, its items are one and the same.
        same = len(value) * _size(value[0]) if value and value[0] is value[-1] else None
        return 1 + (sum(map(_size, value)) if same is None else same)
    return 1 + sum(map(_size, value.values())) if isinstance(value, dict) else 1
