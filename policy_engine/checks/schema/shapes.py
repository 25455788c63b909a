"""The form of a keyword's value, one function a form."""

import difflib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from policy_engine.checks.schema.exact import is_json
from policy_engine.checks.schema.linear import pattern_fault
from policy_engine.checks.schema.vocabulary import FORMATS, TYPES, SchemaFault, SchemaPath

__all__ = ["SHAPES", "is_number", "suggest"]

Shape = Callable[[object, SchemaPath], Iterator[SchemaFault]]


def suggest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or nothing."""
    lowered = {other.lower(): other for other in sorted(known)}
    close = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.7)
    return f'did you mean "{lowered[close[0]]}"?' if close else ""


def is_number(value: object) -> bool:
    """Tell whether a value is a JSON number."""
    return type(value) in (int, float) and is_json(value)


def _key(value: object) -> Hashable:
    """Return what is equal for values that JSON Schema takes for one: 1 and 1.0, not 1 and true."""
    if isinstance(value, dict):
        return "object", frozenset((name, _key(item)) for name, item in value.items())
    if isinstance(value, list):
        return "array", tuple(map(_key, value))
    return isinstance(value, bool), value


def _wrong(path: SchemaPath, wanted: str) -> SchemaFault:
    return SchemaFault(path, "PE008", f'"{path[-1]}" takes {wanted}')


def _count(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if type(value) is not int or value < 0:
        yield _wrong(path, "a whole number, 0 or greater")


def _number(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not is_number(value):
        yield _wrong(path, "a number")


def _positive(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not is_number(value) or value <= 0:  # type: ignore[operator]
        yield _wrong(path, "a number greater than 0")


def _text(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not isinstance(value, str):
        yield _wrong(path, "a text")


def _flag(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not isinstance(value, bool):
        yield _wrong(path, "true or false")


def _value(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not is_json(value):
        yield _wrong(path, "a JSON value")


def _values(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not isinstance(value, list) or not is_json(value):
        yield _wrong(path, "a list of JSON values")


def _names(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        yield _wrong(path, "a list of names")
        return
    seen: set[str] = set()
    for index, name in enumerate(value):
        if name in seen:
            yield SchemaFault((*path, index), "PE015", f'"{name}" stands twice')
        seen.add(name)


def _name_lists(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not isinstance(value, dict):
        yield _wrong(path, "a mapping from a name to a list of names")
        return
    for key, names in value.items():
        yield from _names(names, (*path, key))


def _types(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    listed = isinstance(value, list) and value != []
    names = value if isinstance(value, list) and listed else [value]
    if not all(isinstance(name, str) for name in names):
        yield _wrong(path, "the name of a type, or a list of such names")
        return
    if listed:
        yield from _names(value, path)
    for index, name in enumerate(names):
        if name not in TYPES:
            hint = suggest(name, TYPES) or f"one of {', '.join(sorted(TYPES))}"
            place = (*path, index) if listed else path
            yield SchemaFault(place, "PE009", f'unknown type "{name}"', hint)


def _format(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not isinstance(value, str):
        yield _wrong(path, "the name of a format")
    elif value not in FORMATS:
        hint = suggest(value, FORMATS) or f"one of {', '.join(sorted(FORMATS))}"
        yield SchemaFault(path, "PE009", f'unknown format "{value}"', hint)


def _enum(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not isinstance(value, list) or not is_json(value):
        yield _wrong(path, "a list of JSON values")
        return
    if not value:
        yield SchemaFault(path, "PE020", "an empty enum accepts nothing")
    seen: set[Hashable] = set()
    for index, item in enumerate(value):
        key = _key(item)
        if key in seen:
            yield SchemaFault((*path, index), "PE015", "this value stands twice in its enum")
        seen.add(key)


def _pattern(value: object, path: SchemaPath) -> Iterator[SchemaFault]:
    if not isinstance(value, str):
        yield _wrong(path, "a pattern")
        return
    fault = pattern_fault(value)
    if fault is not None:
        message, hint = fault
        yield SchemaFault(path, "PE016", message, hint)


SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "count": _count,
        "number": _number,
        "positive": _positive,
        "text": _text,
        "flag": _flag,
        "value": _value,
        "values": _values,
        "names": _names,
        "name lists": _name_lists,
        "types": _types,
        "format": _format,
        "enum": _enum,
        "pattern": _pattern,
    }
)
"""The forms of values that hold no schema: name -> what is wrong with a value."""
