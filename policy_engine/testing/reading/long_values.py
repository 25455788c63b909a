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
    return "".join(pieces)


def _list(fields: Fields, path: Path, parts: Any) -> list[Any]:
    match parts:
        case [item, int() as times] if 0 <= times <= MAX_SIZE:
            return [expanded(fields, (*path, 0), item)] * times
    fields.fault(path, "PE009", "a long list is an item and how often", "write it such as [a, 51]")
    return []
