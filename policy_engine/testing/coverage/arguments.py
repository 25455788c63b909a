"""The constraints on arguments: every keyword of every schema, broken and kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.checks.arguments import ArgumentFault
from policy_engine.checks.schema import KEYWORDS, OURS, SchemaPath
from policy_engine.compiler import Constraint
from policy_engine.testing.coverage.item import Item, Outcome

__all__ = ["Keyword", "keywords", "outcomes"]

_SILENT: Final = frozenset(
    {
        *("$defs", "default", "deprecated", "description", "examples", "if", "items"),
        *("message", "optional", "prefixItems", "properties", "title"),
    }
)
"""Keywords that judge nothing by themselves; nor does one that is `true`, but uniqueItems."""
_BOTH: Final = frozenset({Outcome.MATCH, Outcome.NO_MATCH})


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword of an argument's schema; `required`, `optional` or `other` of its presence."""

    item: Item
    argument: str
    path: SchemaPath

    @property
    def keyword(self) -> str:
        """The keyword's own name."""
        return str(self.path[-1])


def keywords(constraint: Constraint) -> Iterator[Keyword]:
    """Yield what a constraint asks of arguments. A match is a broken keyword."""
    for argument, schema in constraint.schemas.items():
        optional = isinstance(schema, Mapping) and schema.get("optional") is True
        presence = "optional" if optional else "required"
        for path in ((presence,), *_paths(schema, ())):
            yield Keyword(_item(constraint, argument, path), argument, path)
    if constraint.names_arguments:
        yield Keyword(_item(constraint, "", ("other",)), "", ("other",))


def outcomes(
    found: list[Keyword], constraint: Constraint, args: dict[str, Any]
) -> Iterator[tuple[Item, Outcome]]:
    """Yield what the keywords of a constraint say of a call's arguments."""
    faults = constraint.arguments.faults(args)
    blamed = {fault.argument for fault in faults}
    for one in found:
        outcome = _outcome(one, args, faults, blamed)
        if outcome is not None:
            yield one.item, outcome


def _outcome(
    one: Keyword, args: dict[str, Any], faults: tuple[ArgumentFault, ...], blamed: set[str]
) -> Outcome | None:
    given = args.get(one.argument) is not None
    match one.path:
        case ("required" | "optional",):
            return Outcome.NO_MATCH if given else Outcome.MATCH
        case ("other",):
            other = any(fault.keyword == "additionalProperties" for fault in faults)
            return Outcome.MATCH if other else Outcome.NO_MATCH
    if any(_is_of(fault, one) for fault in faults):
        return Outcome.MATCH
    return Outcome.NO_MATCH if given and one.argument not in blamed else None


def _is_of(fault: ArgumentFault, one: Keyword) -> bool:
    return fault.argument == one.argument and fault.schema_path[: len(one.path)] == one.path


def _item(constraint: Constraint, argument: str, path: SchemaPath) -> Item:
    presence = path in (("required",), ("optional",), ("other",))
    place = (argument,) if presence else (argument, *path)
    where = ".".join(map(str, (argument, *path))) if argument else "no other argument"
    rule = constraint.rule
    return Item("argument", rule, where, constraint.place(place if argument else ()), _BOTH)


def _paths(schema: Any, path: SchemaPath) -> Iterator[SchemaPath]:
    if not isinstance(schema, Mapping):
        return
    for key, value in schema.items():
        judges = key not in _SILENT and (value is not True or key == "uniqueItems")
        if judges and (key in KEYWORDS or key in OURS):
            yield (*path, key)
    yield from _paths(schema.get("items"), (*path, "items"))
    for i, below in enumerate(schema.get("prefixItems") or ()):
        yield from _paths(below, (*path, "prefixItems", i))
    for name, below in (schema.get("properties") or {}).items():
        yield from _paths(below, (*path, "properties", name))
