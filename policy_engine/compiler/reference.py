"""Names inside expressions that must exist: labels that some entry sets, tools that are listed."""

from collections.abc import Iterator
from difflib import get_close_matches

from policy_engine.cel import STRING, Condition
from policy_engine.cel.nodes import (
    Call,
    Has,
    Index,
    ListItems,
    Literal,
    Local,
    Loop,
    Node,
    Select,
    VariableRead,
    walk,
)
from policy_engine.compiler.names import matches_glob
from policy_engine.errors import Fault, Location
from policy_engine.policy import PolicySet
from policy_engine.source import Document

__all__ = ["locate", "unknown_references"]

Path = tuple[str | int, ...]


def unknown_references(
    document: Document,
    path: Path,
    condition: Condition,
    policies: PolicySet,
    labels: frozenset[str],
) -> Iterator[Fault]:
    """Yield a fault for every label that no entry sets and every tool that no entry matches."""
    for node in walk(condition.tree):
        for literal in _labels(node):
            if literal.value not in labels:
                yield _fault(document, path, condition.text, literal, "label", "sets", labels)
        for literal in _tools(node):
            tools = [name for loaded in policies.policies for name in loaded.policy.tools or {}]
            if not any(matches_glob(glob, str(literal.value)) for glob in tools):
                yield _fault(document, path, condition.text, literal, "tool", "names", tools)


def _labels(node: Node) -> list[Literal]:
    """Return the literals that are compared with labels of the session."""
    match node:
        case Call(function="in", arguments=(Literal() as label, over)) if _is(over, "labels"):
            return [label]
        case Loop(range=over, variables=(Local(slot=slot), *_), condition=body) if (
            body is not None and _is(over, "labels")
        ):
            return [literal for part in walk(body) for literal in _compared(part, slot)]
    return []


def _compared(node: Node, slot: int) -> list[Literal]:
    match node:
        case Call(function="==" | "!=", arguments=(Local(slot=found), Literal() as literal)):
            return [literal] if found == slot else []
        case Call(function="==" | "!=", arguments=(Literal() as literal, Local(slot=found))):
            return [literal] if found == slot else []
        case Call(function="in", arguments=(Local(slot=found), ListItems(items=items))):
            if found == slot:
                return [item for item in items if isinstance(item, Literal)]
    return []


def _tools(node: Node) -> list[Literal]:
    """Return the literals that `session.calls` is asked for."""
    match node:
        case Index(operand=over, key=Literal() as key) if _is(over, "calls"):
            return [key]
        case Call(function="in", arguments=(Literal() as key, over)) if _is(over, "calls"):
            return [key]
        case Select(operand=over, field=name, at=at) | Has(operand=over, field=name, at=at) if _is(
            over, "calls"
        ):
            return [Literal(at, at + len(name), name, STRING)]
    return []


def _is(node: Node, field: str) -> bool:
    match node:
        case Select(operand=VariableRead(name="session"), field=name):
            return name == field
        case VariableRead(name=name):
            return name == f"session.{field}"
    return False


def locate(document: Document, path: Path, text: str, node: Node) -> tuple[Location, str, int]:
    """Locate a part of an expression: its place, its line and how long it is."""
    start = document.at(path)
    line = document.line(start.line)
    inside = line.find(text, start.column - 1)
    if inside < 0:
        return start, line, 1
    place = Location(start.path, start.line, inside + node.start + 1)
    return place, line, max(1, node.end - node.start)


def _fault(  # noqa: PLR0917 -- a place, a name and what was expected of it
    document: Document,
    path: Path,
    text: str,
    literal: Literal,
    noun: str,
    verb: str,
    known: Iterator[str] | frozenset[str] | list[str],
) -> Fault:
    name = str(literal.value)
    near = get_close_matches(name, list(known), n=1)
    place, line, length = locate(document, path, text, literal)
    return Fault(
        location=place,
        code="PE011",
        message=f'no entry {verb} the {noun} "{name}"',
        hint=f'did you mean "{near[0]}"?' if near else None,
        source_line=line,
        length=length,
    )
