"""Where schemas, patterns and lists of names stand in a policy set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from policy_engine.cel.nodes import Call, Node, children
from policy_engine.lint.proof.formula import clauses, constant, formula
from policy_engine.lint.subject import Entry, PlacedCondition, Subject
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Path

__all__ = [
    "PatternAt",
    "SchemaAt",
    "arguments",
    "nodes",
    "patterns",
    "piece",
    "replaced",
    "schemas",
]


@dataclass(frozen=True, slots=True)
class SchemaAt:
    """A schema of an argument, or of a part of one."""

    policy: LoadedPolicy
    path: Path
    schema: Mapping[str, Any]
    argument: str
    """The argument that it is in."""
    name: str
    """What its value is called: the argument or the property."""
    entry: Entry | None = None
    """The entry that declares it; None for a rule's."""

    @property
    def is_top(self) -> bool:
        """Whether it is the schema of the argument itself."""
        return self.path[-1] == self.argument

    @property
    def rule(self) -> str:
        """What decisions call the argument of an entry."""
        return "" if self.entry is None else f"{self.entry.rule}/args/{self.argument}"


@dataclass(frozen=True, slots=True)
class PatternAt:
    """A regular expression, and what it is for."""

    policy: LoadedPolicy
    path: Path
    pattern: str
    use: Literal["argument", "check", "condition"]
    """What a value must match; what a text may not; what an expression asks."""
    place: SchemaAt | None = None
    """The schema that it stands in."""
    part: tuple[int, int] | None = None
    """Its ends in the expression that it stands in."""
    allows: bool = False
    """Whether what matches it is let through."""
    found: PlacedCondition | None = None
    """The rule that it stands in."""


def schemas(subject: Subject) -> tuple[SchemaAt, ...]:
    """Return the schemas of arguments, and those of their properties and items."""
    return subject.once("schemas", lambda: _schemas(subject))


def _schemas(subject: Subject) -> Iterator[SchemaAt]:
    for entry in subject.entries:
        for name, schema in (entry.block.args or {}).items():
            path = (*entry.path, "args", name)
            if isinstance(schema, Mapping):
                yield from _below(SchemaAt(entry.policy, path, schema, name, name, entry))
    for found in subject.conditions:
        tool = found.placed.tool
        for name, schema in (tool.args if tool is not None and tool.args else {}).items():
            path = (*found.placed.path, "args", name)
            if isinstance(schema, Mapping):
                yield from _below(SchemaAt(found.policy, path, schema, name, name))


def arguments(subject: Subject) -> Iterator[SchemaAt]:
    """Go through the schemas of the arguments of entries that grant."""
    for place in schemas(subject):
        if place.entry is not None and place.is_top and place.entry.block.effect != "deny":
            yield place


def _below(place: SchemaAt) -> Iterator[SchemaAt]:
    yield place
    inner: list[tuple[Path, str, Any]] = []
    properties = place.schema.get("properties")
    for name, schema in properties.items() if isinstance(properties, Mapping) else ():
        inner.append((("properties", name), name, schema))
    if "items" in place.schema:
        inner.append((("items",), place.name, place.schema["items"]))
    for index, schema in enumerate(place.schema.get("prefixItems") or ()):
        inner.append((("prefixItems", index), place.name, schema))
    for steps, name, schema in inner:
        path = (*place.path, *steps)
        if isinstance(schema, Mapping):
            yield from _below(
                SchemaAt(place.policy, path, schema, place.argument, name, place.entry)
            )


def patterns(subject: Subject) -> tuple[PatternAt, ...]:
    """Return every regular expression."""
    return subject.once("patterns", lambda: _patterns(subject))


def _patterns(subject: Subject) -> Iterator[PatternAt]:
    for place in schemas(subject):
        pattern = place.schema.get("pattern")
        if isinstance(pattern, str):
            path = (*place.path, "pattern")
            yield PatternAt(place.policy, path, pattern, "argument", place, allows=True)
        check = place.schema.get("check")
        listed = check.get("pattern") if isinstance(check, Mapping) else None
        any_of = listed.get("any") if isinstance(listed, Mapping) else None
        for index, pattern in enumerate(any_of or ()):
            path = (*place.path, "check", "pattern", "any", index)
            yield PatternAt(place.policy, path, pattern, "check", place)
    for found in subject.conditions:
        options = getattr(found.placed.rule.check, "pattern", None)
        for index, pattern in enumerate(() if options is None else options.any):
            path = (*found.placed.path, "check", "pattern", "any", index)
            yield PatternAt(found.policy, path, pattern, "check", found=found)
        yield from _in_condition(found)


def _in_condition(found: PlacedCondition) -> Iterator[PatternAt]:
    if found.compiled.condition is None:
        return
    tree = found.compiled.condition.tree
    refused = {
        (clause.node.start, clause.node.end)
        for clause in clauses(formula(tree))
        if clause.atom.kind == "matches" and not clause.holds
    }
    for node in nodes(tree):
        if isinstance(node, Call) and node.function == "matches" and len(node.arguments) == 2:
            pattern, where = constant(node.arguments[1]), node.arguments[1]
            if isinstance(pattern, str):
                part = (where.start, where.end)
                yield PatternAt(
                    found.policy,
                    found.path,
                    pattern,
                    "condition",
                    part=part,
                    allows=(node.start, node.end) in refused,
                    found=found,
                )


def nodes(tree: Node) -> Iterator[Node]:
    """Go through a tree, the whole before its parts."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        below = children(node)
        if below:
            waiting.extend(below[::-1])


def replaced(tree: Node, old: Node, new: Node) -> Node:
    """Return a tree in which another node stands in the place of one of its own."""
    if tree is old:
        return new
    changed: dict[str, Any] = {}
    for one in fields(tree):
        value = getattr(tree, one.name)
        if isinstance(value, Node):
            changed[one.name] = replaced(value, old, new)
        elif isinstance(value, tuple) and any(isinstance(part, Node) for part in value):
            changed[one.name] = tuple(
                replaced(part, old, new) if isinstance(part, Node) else part for part in value
            )
    return replace(tree, **changed)


def piece(found: PlacedCondition, node: Node) -> str:
    """Return the text of a part of a condition, on one line."""
    condition = found.compiled.condition
    whole = "" if condition is None else condition.text
    start, end = node.start, node.end
    while whole[start:end].count("(") > whole[start:end].count(")"):
        closing = whole.find(")", end)  # what stands in brackets does not have the last one
        if closing < 0:
            break
        end = closing + 1
    while whole[start:end].count(")") > whole[start:end].count("("):
        opening = whole.rfind("(", 0, start)  # nor the first
        if opening < 0:
            break
        start = opening
    return " ".join(whole[start:end].split())
