"""What is known where a part of an expression is checked: names, and fields that are present."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from policy_engine.cel.environment import Constant, Environment, Variable, freeze_constant
from policy_engine.cel.nodes import (
    Failure,
    Has,
    Identifier,
    Literal,
    Local,
    Node,
    Select,
    VariableRead,
)
from policy_engine.cel.presence import Present, join_present
from policy_engine.cel.problems import Kind, Problem, did_you_mean
from policy_engine.cel.types import TYPE, Type, constant_type
from policy_engine.cel.values import TYPE_VALUES

__all__ = ["Scope"]

_MAX_NAMES = 12
"""So many names are listed where none is near."""


class Scope:
    """Names, present fields and problems, as a tree is walked."""

    def __init__(self, environment: Environment) -> None:
        self.variables = environment.variables
        self.problems: list[Problem] = []
        self.present: Present | None = frozenset()
        self._locals: Mapping[str, Local] = {}
        self._slots = 0

    def fail(
        self, node: Node, message: str, hint: str | None = None, kind: Kind = "type"
    ) -> Failure:
        """Note a problem with a node."""
        self.problems.append(Problem(kind, message, node.start, node.end - node.start, hint))
        return Failure(node.start, node.end, message)

    def fail_at(
        self, node: Select | Has, message: str, hint: str | None = None, kind: Kind = "type"
    ) -> Failure:
        """Note a problem with the field that a node reads."""
        end = node.end - 1 if isinstance(node, Has) else node.end
        self.problems.append(Problem(kind, message, node.at, max(1, end - node.at), hint))
        return Failure(node.start, node.end, message)

    @contextmanager
    def knowing(self, present: Present | None) -> Iterator[None]:
        """Check something where more fields are known to be present."""
        before = self.present
        self.present = join_present(before, present)
        yield
        self.present = before

    @contextmanager
    def binding(self, *locals_: Local) -> Iterator[None]:
        """Check something where macro variables stand for something."""
        before = self._locals
        self._locals = {**before, **{local.name: local for local in locals_}}
        yield
        self._locals = before

    def new_local(self, node: Node, kind: Type) -> Local:
        """Return a variable of a macro."""
        assert isinstance(node, Identifier)  # noqa: S101 - the parser's promise
        self._slots += 1
        return Local(node.start, node.end, node.name, self._slots, kind)

    def identifier(self, node: Identifier) -> Node:
        """Return what a name stands for."""
        local = self._locals.get(node.name)
        if local is not None:
            return replace(local, start=node.start, end=node.end)
        found = self.global_name(node, node.name.removeprefix("."))
        if found is not None:
            return found
        names = [*self._locals, *self.variables]
        hint = did_you_mean(node.name, names)
        if hint is None and names:
            hint = f"there are {', '.join(sorted(names))}" if len(names) <= _MAX_NAMES else None
        return self.fail(node, f'"{node.name}" is not declared', hint)

    def global_name(self, node: Node, name: str) -> Node | None:
        """Return what a name stands for outside macros, or None."""
        variable = self.variables.get(name)
        if isinstance(variable, Variable):
            return VariableRead(node.start, node.end, name, variable.path, variable.type)
        if isinstance(variable, Constant):
            try:
                value = freeze_constant(variable.value)
            except ValueError as error:
                return self.fail(node, f'"{name}" is not a constant: {error}')
            return Literal(node.start, node.end, value, constant_type(variable.value))
        if name in TYPE_VALUES:
            return Literal(node.start, node.end, TYPE_VALUES[name], TYPE)
        return None

    def dotted(self, node: Node) -> str | None:
        """Return the name that a chain of plain fields spells, unless it starts at a local."""
        if isinstance(node, Identifier):
            return None if node.name in self._locals else node.name.removeprefix(".")
        if isinstance(node, Select) and not node.optional:
            before = self.dotted(node.operand)
            return None if before is None else f"{before}.{node.field}"
        return None
