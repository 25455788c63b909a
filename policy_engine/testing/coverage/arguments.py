"""The constraints on arguments: every keyword of every schema, broken, kept and silent."""

from collections.abc import Mapping
from typing import Any

from policy_engine.checks.schema import SchemaPath
from policy_engine.compiler import Constraint
from policy_engine.testing.coverage.checks import text_asks
from policy_engine.testing.coverage.item import TOLD, Item, Kind, Note, Outcome
from policy_engine.testing.coverage.reader import read_schema
from policy_engine.testing.coverage.schema import Node, TextAsk
from policy_engine.text import Patterns

__all__ = ["Arguments"]


class Arguments:
    """What a constraint asks of arguments.

    Args:
        constraint: The arguments of an entry, or of a rule.
        patterns: Receives what its checks search for.
    """

    def __init__(self, constraint: Constraint, patterns: Patterns) -> None:
        self._constraint = constraint
        self._patterns = patterns
        self._items: dict[str, list[Item]] = {}
        self._nodes: dict[str, Node] = {}
        self._presence: dict[str, tuple[Item, bool]] = {}
        for argument, schema in constraint.schemas.items():
            self._items[argument] = []
            may_lack = isinstance(schema, Mapping) and schema.get("optional") is True
            word = "optional" if may_lack else "required"
            place = constraint.place((argument,))
            item = Item("argument", constraint.rule, f"{argument}.{word}", place, TOLD)
            self._items[argument].append(item)
            self._presence[argument] = (item, may_lack)
            self._nodes[argument] = self._read(argument, schema, may_lack=may_lack)
        self._other: Item | None = None
        if constraint.names_arguments:
            place = constraint.place(())
            self._other = Item("argument", constraint.rule, "no other argument", place, TOLD)

    @property
    def other(self) -> Item | None:
        """Whether an argument is given that nothing declares; None where any may be."""
        return self._other

    def items(self) -> dict[str, list[Item]]:
        """Return what can be covered, by argument."""
        return self._items

    def ask(self, args: Mapping[str, Any], note: Note) -> None:
        """Note what everything says of a call's arguments."""
        for argument in self._nodes:
            self.ask_one(argument, args, note)
        if self._other is not None:
            more = args.keys() - self._constraint.schemas.keys()
            note(self._other, Outcome.MATCH if more else Outcome.NO_MATCH)

    def ask_one(self, argument: str, args: Mapping[str, Any], note: Note) -> None:
        """Note what everything says of one argument."""
        item, may_lack = self._presence[argument]
        given = args.get(argument) is not None if may_lack else argument in args
        note(item, Outcome.NO_MATCH if given else Outcome.MATCH)
        if given:
            self._nodes[argument].visit(args[argument], note)
        elif may_lack:
            self._nodes[argument].silent(note)

    def _read(self, argument: str, schema: Any, *, may_lack: bool) -> Node:
        def make(path: SchemaPath, possible: frozenset[Outcome]) -> Item:
            return self._named(
                "argument", ".".join(map(str, (argument, *path))), argument, path, possible
            )

        def texts(given: Any, path: SchemaPath, may_be_silent: bool) -> list[TextAsk]:  # noqa: FBT001
            def name(
                kind: Kind, text: str, below: SchemaPath, possible: frozenset[Outcome]
            ) -> Item:
                whole = ".".join(map(str, (argument, *path)))
                what = {"pattern": text, "argument": whole}.get(kind, f"{whole}.{text}")
                return self._named(kind, what, argument, (*path, *below), possible)

            return text_asks(given, name, self._patterns, may_be_silent=may_be_silent)

        return read_schema(schema, make, texts, may_be_silent=may_lack)

    def _named(
        self,
        kind: Kind,
        what: str,
        argument: str,
        path: SchemaPath,
        possible: frozenset[Outcome],
    ) -> Item:
        place = self._constraint.place((argument, *path))
        item = Item(kind, self._constraint.rule, what, place, possible)
        self._items[argument].append(item)
        return item
