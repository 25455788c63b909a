"""Attributes, context and facts of a request against what the policies declare of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.checks.arguments import Arguments, compile_arguments
from policy_engine.checks.schema import Validator, compile_schema
from policy_engine.compiler import Compiled
from policy_engine.compiler.message import argument as misfit
from policy_engine.policy.words import choices, did_you_mean, quoted
from policy_engine.source import Path
from policy_engine.testing.reading.fields import Fields
from policy_engine.text import Patterns

__all__ = ["Declared", "check_names", "check_values", "declared_of"]

NOUNS: Final[Mapping[str, str]] = {
    "attrs": "attribute",
    "context": "name of the context",
    "facts": "fact",
}
"""Where declared values stand -> what each of them is called."""
_MEANT: Final = "to mean that, expect `cannot_tell: [RULE]`, or `[]` where it makes no rule doubt"
_WIDER: Final = frozenset(
    {"$ref", "additionalProperties", "allOf", "anyOf", "dependentSchemas", "if", "oneOf"}
)
"""Keywords by which an object may have more fields than those under `properties`."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One attribute, name of the context or fact, as each policy that has it declares it."""

    schemas: tuple[Mapping[str, Any], ...]
    validators: tuple[Validator, ...]
    """As decisions judge it."""
    explaining: Arguments
    """The first of the schemas, which says what does not fit."""


def declared_of(compiled: Compiled) -> dict[str, dict[str, Declared]]:
    """Collect what the policies of a set declare: `attrs`, `context`, `facts` -> name -> it."""
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {place: {} for place in NOUNS}
    for one in compiled.policies.policies:
        facts = {name: fact.schema_ for name, fact in one.policy.facts.items()}
        own = {"attrs": one.policy.attrs, "context": one.policy.context, "facts": facts}
        for place, schemas in own.items():
            for name, schema in schemas.items():
                written = schema if isinstance(schema, Mapping) else {}
                found[place].setdefault(name, []).append(written)
    return {
        place: {name: _declared(name, schemas) for name, schemas in names.items()}
        for place, names in found.items()
    }


def _declared(name: str, schemas: list[Mapping[str, Any]]) -> Declared:
    validators = (compile_schema(schema, closed=False) for schema in schemas)
    explaining = compile_arguments({name: schemas[0]}, closed=False, patterns=Patterns())
    return Declared(tuple(schemas), tuple(validators), explaining)


def check_names(
    fields: Fields,
    path: Path,
    given: Mapping[str, Any],
    declared: Mapping[str, Mapping[str, Declared]],
) -> None:
    """Note a fault for each name that no policy declares, and for each such field of a value."""
    for place, way, values in _given(given):
        known = declared[place]
        for name, value in values.items():
            at = (*path, *way, name)
            if name not in known:
                fields.name(at, name, known, NOUNS[place], on_key=True)
                continue
            unknown = [dict(_unknown(schema, value, ())) for schema in known[name].schemas]
            for below, others in unknown[0].items():
                if all(below in one for one in unknown):
                    message = f'the {NOUNS[place]} "{name}" has no field {quoted(below[-1])}'
                    near = did_you_mean(str(below[-1]), others)
                    hint = near or f"declared: {choices(others)}"
                    fields.fault((*at, *below), "PE011", message, hint, on_key=True)


def check_values(
    fields: Fields,
    places: Mapping[str, Path],
    given: Mapping[str, Any],
    declared: Mapping[str, Mapping[str, Declared]],
) -> None:
    """Note a fault for each value that does not fit its schema: rules that read it cannot tell.

    Args:
        fields: The file.
        places: Where each field of the request stands, which may be among defaults.
        given: The request.
        declared: What the policies declare.
    """
    for place, way, values in _given(given):
        for name, value in values.items():
            one = declared[place].get(name)
            if one is None or value is None:
                continue
            if any(validator.fits(value) for validator in one.validators):
                continue
            code, message, below = _unfit(one.explaining, name, value, NOUNS[place])
            at = (*places[str(way[0])], *way[1:], name, *below)
            new = fields.document.fault(at, code, message, hint=_MEANT)
            if new not in fields.faults:  # it may stand among the defaults of many tests
                fields.faults.append(new)


def _unfit(explaining: Arguments, name: str, value: Any, noun: str) -> tuple[str, str, Path]:
    """Return a code, what is wrong with a value, and the way to the part that is."""
    fault = next(iter(explaining.faults({name: value})), None)
    if fault is None:
        return "PE009", f'the {noun} "{name}" does not fit its schema', ()
    below = _path(value, fault.pointer)
    if fault.keyword == "required":
        missing = fault.pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
        return "PE007", f'the {noun} "{name}" lacks "{missing}"', below
    said = misfit(fault, explaining.schemas).rstrip(".").replace("argument", noun, 1)
    code = "PE008" if fault.keyword == "type" else "PE009"
    return code, said[0].lower() + said[1:], below


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


def _path(value: Any, pointer: str) -> Path:
    """Return the way below a value that a JSON Pointer means, as far as something is there."""
    path: list[str | int] = []
    for token in pointer.split("/")[1:]:
        key: str | int = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and token.isdigit():
            key = int(token)
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            break
        path.append(key)
    return tuple(path)
