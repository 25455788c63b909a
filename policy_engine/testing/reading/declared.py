"""Attributes, context and facts of a request against what the policies declare of them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from policy_engine.compiler import Compiled
from policy_engine.policy.words import did_you_mean, quoted
from policy_engine.source import Path
from policy_engine.testing.reading.fields import Fields

__all__ = ["Declared", "check_names", "declared_of"]

NOUNS: Final[Mapping[str, str]] = {
    "attrs": "attribute",
    "context": "name of the context",
    "facts": "fact",
}
"""Where declared values stand -> what each of them is called."""
_WIDER: Final = frozenset(
    {"$ref", "additionalProperties", "allOf", "anyOf", "dependentSchemas", "if", "oneOf"}
)
"""Keywords by which an object may have more fields than those under `properties`."""


Declared: TypeAlias = tuple[Mapping[str, Any], ...]
"""The schemas of one attribute, name of the context or fact, of each policy that has it."""


def declared_of(compiled: Compiled) -> dict[str, dict[str, Declared]]:
    """Collect what the policies of a set declare: `attrs`, `context`, `facts` -> name -> it."""
    found: dict[str, dict[str, Declared]] = {place: {} for place in NOUNS}
    for one in compiled.policies.policies:
        facts = {name: fact.schema_ for name, fact in one.policy.facts.items()}
        own = {"attrs": one.policy.attrs, "context": one.policy.context, "facts": facts}
        for place, schemas in own.items():
            for name, schema in schemas.items():
                written = schema if isinstance(schema, Mapping) else {}
                found[place][name] = (*found[place].get(name, ()), written)
    return found


def check_names(
    fields: Fields,
    path: Path,
    given: Mapping[str, Any],
    declared: Mapping[str, Mapping[str, Declared]],
) -> None:
    """Note a fault for each name that no policy declares, and for each misspelt field."""
    for place, way, values in _given(given):
        known = declared[place]
        for name, value in values.items():
            at = (*path, *way, name)
            if name not in known:
                fields.name(at, name, known, NOUNS[place], on_key=True)
                continue
            unknown = [dict(_unknown(schema, value, ())) for schema in known[name]]
            for below, others in unknown[0].items():
                # What an application looks up may hold more than policies read.
                near = did_you_mean(str(below[-1]), others)
                if near and all(below in one for one in unknown):
                    message = f'the {NOUNS[place]} "{name}" has no field {quoted(below[-1])}'
                    fields.fault((*at, *below), "PE011", message, near, on_key=True)


def _given(given: Mapping[str, Any]) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """Yield what of a request policies declare: where, the way to it, and its values."""
    principal = given.get("principal")
    attrs = principal.get("attrs") if isinstance(principal, dict) else None
    for place, way, values in (
        ("attrs", ("principal", "attrs"), attrs),
        ("context", ("context",), given.get("context")),
        ("facts", ("facts",), given.get("facts")),
    ):
        if isinstance(values, dict):
            yield place, way, values


def _unknown(schema: Any, value: Any, path: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield each field that a schema does not declare, and those that it declares there."""
    if not isinstance(schema, Mapping):
        return
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _unknown(schema.get("items"), item, (*path, i))
    known = schema.get("properties")
    if not isinstance(value, dict) or not isinstance(known, Mapping):
        return
    for key, item in value.items():
        if key in known:
            yield from _unknown(known[key], item, (*path, key))
        elif not _WIDER & schema.keys():
            yield (*path, key), list(known)
