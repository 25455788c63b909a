"""Literals in conditions that what they are compared with can never be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from policy_engine.cel import Condition
from policy_engine.cel.nodes import (
    Call,
    Index,
    ListItems,
    Literal,
    Node,
    Select,
    VariableRead,
    walk,
)
from policy_engine.compiler.covered import Covered
from policy_engine.compiler.names import matches_glob
from policy_engine.compiler.reference import locate
from policy_engine.decision import STAGES
from policy_engine.errors import Fault, Location
from policy_engine.policy import LoadedPolicy, Policy
from policy_engine.policy.words import choices

__all__ = ["Literals"]

_SECTIONS: Final = (("tool", "tools"), ("target", "handoffs"), ("model", "models"))


@dataclass(frozen=True, slots=True)
class _Possible:
    """What something that a condition reads can be."""

    values: tuple[object, ...]
    named: bool = False
    """Whether they are names and globs of entries."""

    def admits(self, value: object) -> bool:
        """Whether it can be this value."""
        if self.named and isinstance(value, str):
            return any(matches_glob(str(glob), value) for glob in self.values)
        return value in self.values


class Literals:
    """What is listed in a policy set: names of entries, stages, and the values of `enum`."""

    __slots__ = ("_named",)

    def __init__(self, policies: Sequence[LoadedPolicy]) -> None:
        self._named = {"stage": _Possible(STAGES)}
        for variable, section in _SECTIONS:
            sections = [getattr(loaded.policy, section) for loaded in policies]
            if any(sections):
                names = tuple(name for entries in sections for name in entries or {})
                self._named[variable] = _Possible(names, named=True)

    def faults(
        self,
        loaded: LoadedPolicy,
        path: tuple[str | int, ...],
        condition: Condition,
        covered: Sequence[Covered],
    ) -> Iterator[Fault]:
        """Yield a fault for every comparison with a value that cannot be there."""
        for node in walk(condition.tree):
            read, literals = _compared(node)
            known = self._possible(read, loaded.policy, covered) if literals else None
            for literal in literals if known else ():
                if known is not None and not known.admits(literal.value):
                    place = locate(loaded.document, path, condition.text, literal)
                    yield _fault(".".join(read), literal, known, place)

    def _possible(
        self, read: tuple[str, ...], policy: Policy, covered: Sequence[Covered]
    ) -> _Possible | None:
        match read:
            case (name,):
                return self._named.get(name)
            case ("context", name):
                return _listed([policy.context.get(name)])
            case ("principal", "attrs", name):
                return _listed([policy.attrs.get(name)])
            case ("facts", name) if name in policy.facts:
                return _listed([policy.facts[name].schema_])
            case ("facts", name, field) if name in policy.facts:
                return _listed([_property(policy.facts[name].schema_, field)])
            case ("args", name) if None not in covered:
                return _listed([args[name] for args in covered if args and name in args])
        return None


def _compared(node: Node) -> tuple[tuple[str, ...], list[Literal]]:
    """Return what is read and the literals that it is compared with."""
    match node:
        case Call(function="==" | "!=", arguments=(Literal() as literal, other)):
            return _read(other), [literal]
        case Call(function="==" | "!=", arguments=(other, Literal() as literal)):
            return _read(other), [literal]
        case Call(function="in", arguments=(other, ListItems(items=items))):
            return _read(other), [item for item in items if isinstance(item, Literal)]
    return (), []


def _read(node: Node) -> tuple[str, ...]:
    match node:
        case VariableRead(name=name):
            return tuple(name.split("."))
        case (
            Select(operand=operand, field=name)
            | Index(operand=operand, key=Literal(value=str(name)))
        ):
            before = _read(operand)
            return (*before, name) if before else ()
    return ()


def _property(schema: object, field: str) -> object:
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return properties.get(field) if isinstance(properties, Mapping) else None


def _listed(schemas: Sequence[object]) -> _Possible | None:
    """Return the values that schemas list; None where one lists none."""
    values: list[object] = []
    for schema in schemas:
        if not isinstance(schema, Mapping) or not ("enum" in schema or "const" in schema):
            return None
        listed = schema.get("enum", [schema.get("const")])
        if not isinstance(listed, list | tuple):
            return None
        values.extend(listed)
    return _Possible(tuple(values)) if values else None


def _fault(
    name: str, literal: Literal, known: _Possible, place: tuple[Location, str, int]
) -> Fault:
    listed = list(map(str, known.values))
    near = get_close_matches(str(literal.value), listed, n=1)
    location, line, length = place
    return Fault(
        location=location,
        code="PE011" if known.named else "PE013",
        message=f'no entry names the {name} "{literal.value}"'
        if known.named
        else f'"{name}" is never "{literal.value}"',
        hint=f'did you mean "{near[0]}"?' if near else f"it is one of: {choices(listed)}",
        source_line=line,
        length=length,
    )
