"""How large a schema is with every reference written out."""

from collections.abc import Iterator, Mapping
from typing import Final

__all__ = ["MAX_EXPANSION", "expansion"]

MAX_EXPANSION: Final = 10_000
"""The most schemas that one may stand for: compiled, each reference costs what it refers to."""


def expansion(schema: Mapping[str, object]) -> int:
    """Count the references of a schema, those that they lead to with them.

    A definition that leads back to itself is counted once: it is compiled once, too.
    """
    definitions = schema.get("$defs")
    known = definitions if isinstance(definitions, dict) else {}
    counted: dict[str, int] = {}

    def count(value: object) -> int:
        total = 0
        for name in _references(value):
            if name not in counted:
                counted[name] = 0  # while it is counted: a way back to it adds nothing
                counted[name] = count(known.get(name))
            total = min(total + 1 + counted[name], MAX_EXPANSION + 1)
        return total

    return max(
        count({key: value for key, value in schema.items() if key != "$defs"}),
        *(count(value) for value in known.values()),
        0,
    )


def _references(value: object) -> Iterator[str]:
    pending = [value]
    while pending:
        found = pending.pop()
        if isinstance(found, list):
            pending.extend(found)
        elif isinstance(found, dict):
            reference = found.get("$ref")
            if isinstance(reference, str):
                yield reference.removeprefix("#/$defs/")
            pending.extend(found.values())
