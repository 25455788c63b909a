"""What is asked of the strings in an argument beyond JSON Schema: `maxBytes` and `check`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from policy_engine.checks.schema import SchemaPath

__all__ = ["Probe", "TextTest", "find_probes", "reach"]

TextTest = Callable[[str], bool]
"""Tells whether a text passes; may raise, and then the text does not."""

Step = tuple[str, str | int]
"""`("key", name)`, `("at", position)`, or `("from", position)`: every item from there on."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A test of the strings that stand at some places of an argument."""

    argument: str
    steps: tuple[Step, ...]
    keyword: str
    schema_path: SchemaPath
    """The keyword's place in the argument's schema."""
    passes: TextTest


def find_probes(
    argument: str,
    schema: Mapping[str, object],
    make_test: Callable[[str, object], TextTest],
) -> list[Probe]:
    """Collect the tests that a schema asks for, with the places that they judge.

    Args:
        argument: The argument's name.
        schema: Its schema as written.
        make_test: Builds the test of a keyword, `maxBytes` or `check`, from its value.
    """
    return list(_collect(argument, schema, make_test, (), ()))


def reach(value: object, steps: tuple[Step, ...]) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Yield what stands at the places that steps lead to, each with the way to it."""
    if not steps:
        yield (), value
        return
    (kind, where), rest = steps[0], steps[1:]
    if kind == "key":
        if isinstance(value, dict) and where in value:
            for way, found in reach(value[where], rest):
                yield (where, *way), found
        return
    if not isinstance(value, list) or not isinstance(where, int):
        return
    stop = where + 1 if kind == "at" else len(value)
    for index in range(where, min(stop, len(value))):
        for way, found in reach(value[index], rest):
            yield (index, *way), found


def _collect(
    argument: str,
    schema: object,
    make_test: Callable[[str, object], TextTest],
    steps: tuple[Step, ...],
    path: SchemaPath,
) -> Iterator[Probe]:
    if not isinstance(schema, dict):
        return
    for keyword in ("maxBytes", "check"):
        if keyword in schema:
            test = make_test(keyword, schema[keyword])
            yield Probe(argument, steps, keyword, (*path, keyword), test)
    for step, below, way in _children(schema):
        yield from _collect(argument, below, make_test, (*steps, step), (*path, *way))


def _children(schema: Mapping[str, object]) -> Iterator[tuple[Step, object, SchemaPath]]:
    properties, prefix = schema.get("properties"), schema.get("prefixItems")
    for name, below in properties.items() if isinstance(properties, dict) else ():
        yield ("key", name), below, ("properties", name)
    fixed = prefix if isinstance(prefix, list) else []
    for index, below in enumerate(fixed):
        yield ("at", index), below, ("prefixItems", index)
    yield ("from", len(fixed)), schema.get("items"), ("items",)
