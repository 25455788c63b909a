"""A schema as something to ask: every keyword in it, of every value that it is about.

Theory of operation. A match is a broken keyword. Each keyword is asked alone, also under `anyOf`,
`not`, `if` and the like. It cannot tell where the call is not refused and it says nothing all the
same: the value is absent and may be, the list is empty, the value has a type that the keyword is
not about, the condition chose the other part. What a `type` refuses, or an absence, is asked
nothing more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from policy_engine.checks.schema import is_json
from policy_engine.testing.coverage.item import Item, Note, Outcome
from policy_engine.testing.coverage.keywords import Judge, speaks_of

__all__ = ["Node", "TextAsk"]

TextAsk: TypeAlias = Callable[[str | None, Note], None]
"""Asks a part of a check of a text; None: there is none."""


@dataclass(slots=True)
class Node:
    """One schema: what its keywords ask, and the schemas below it."""

    type: tuple[Item, Judge] | None = None
    asks: list[tuple[Item, str, Judge]] = field(default_factory=list)
    """Each with its keyword."""
    texts: list[TextAsk] = field(default_factory=list)
    needed: list[tuple[Item, str]] = field(default_factory=list)
    """Names that must be there, and that no property declares."""
    depending: list[tuple[Item, str, list[str]]] = field(default_factory=list)
    presence: dict[str, tuple[Item, bool]] = field(default_factory=dict)
    """Property -> its presence, and whether it may be absent."""
    closed: tuple[Item, "Callable[[Any], bool | None]"] | None = None
    """None where the rest of the schema refuses the value already."""
    refuses: Item | None = None
    """Of the schema `false`, which nothing fits."""
    condition: Judge | None = None
    parts: "list[Node]" = field(default_factory=list)
    """What judges the same value."""
    then: "Node | None" = None
    otherwise: "Node | None" = None
    properties: "dict[str, Node]" = field(default_factory=dict)
    patterns: "list[tuple[Item, Judge, Node | None]]" = field(default_factory=list)
    names: "Node | None" = None
    rest: "Node | None" = None
    """Of the properties that nothing else declares."""
    first: "list[Node | None]" = field(default_factory=list)
    items: "Node | None" = None
    contains: "Node | None" = None

    def visit(self, value: Any, note: Note) -> None:
        """Ask everything of a value that is there."""
        if self.refuses is not None:
            note(self.refuses, Outcome.MATCH)
            return
        if self.type is not None:
            item, judge = self.type
            if not judge(value):
                note(item, Outcome.MATCH)
                return
            note(item, Outcome.NO_MATCH)
        if not is_json(value):
            return
        for item, key, judge in self.asks:
            note(item, _told(judge(value)) if speaks_of(key, value) else Outcome.CANNOT_TELL)
        for ask in self.texts:
            ask(value if isinstance(value, str) else None, note)
        for part in self.parts:
            part.visit(value, note)
        self._choose(value, note)
        self._visit_object(value, note)
        self._visit_list(value, note)

    def silent(self, note: Note, seen: frozenset[int] = frozenset()) -> None:
        """Note that nothing is asked here, and nothing is refused."""
        if id(self) in seen:
            return
        for item in self.own():
            note(item, Outcome.CANNOT_TELL)
        for ask in self.texts:
            ask(None, note)
        for below in self.below():
            below.silent(note, seen | {id(self)})

    def unused(self, note: Note) -> None:
        """Note that what would be judged here is not there, and nothing needs it."""
        if self.refuses is not None:
            note(self.refuses, Outcome.NO_MATCH)
        else:
            self.silent(note)

    def own(self) -> Iterable[Item]:
        """Go through what this schema itself asks, but for its checks of texts."""
        yield from () if self.refuses is None else (self.refuses,)
        yield from () if self.type is None else (self.type[0],)
        yield from (item for item, _, _ in self.asks)
        yield from self._of_objects()

    def below(self) -> "Iterable[Node]":
        """Go through the schemas directly below, and those beside."""
        single = (self.then, self.otherwise, self.names, self.rest, self.items, self.contains)
        yield from self.parts
        yield from self.properties.values()
        yield from (below for _, _, below in self.patterns if below is not None)
        yield from (below for below in (*self.first, *single) if below is not None)

    def _choose(self, value: Any, note: Note) -> None:
        if self.condition is None:
            return
        holds = self.condition(value)
        chosen, other = (self.then, self.otherwise) if holds else (self.otherwise, self.then)
        if chosen is not None:
            chosen.visit(value, note)
        if other is not None:
            other.unused(note)

    def _visit_object(self, value: Any, note: Note) -> None:
        if not isinstance(value, dict):
            self._no_object(note)
            return
        for item, name in self.needed:
            note(item, _told(name in value))
        for item, trigger, names in self.depending:
            said = _told(all(name in value for name in names))
            note(item, said if trigger in value else Outcome.CANNOT_TELL)
        for name in self.properties.keys() | self.presence.keys():
            self._visit_property(name, value, note)
        self._visit_rest(value, note)
        if self.names is not None:
            _each(self.names, list(value), note)
        if self.closed is not None:
            item, fits = self.closed
            kept = fits(value)
            if kept is not None:
                note(item, _told(kept))

    def _no_object(self, note: Note) -> None:
        for item in self._of_objects():
            note(item, Outcome.CANNOT_TELL)
        single = (self.names, self.rest, *(below for _, _, below in self.patterns))
        for below in (*self.properties.values(), *single):
            if below is not None:
                below.silent(note)

    def _of_objects(self) -> Iterable[Item]:
        yield from (item for item, _ in self.needed)
        yield from (item for item, _, _ in self.depending)
        yield from (item for item, _ in self.presence.values())
        yield from (item for item, _, _ in self.patterns)
        yield from () if self.closed is None else (self.closed[0],)

    def _visit_property(self, name: str, value: dict[str, Any], note: Note) -> None:
        item, may_lack = self.presence.get(name, (None, True))
        given = name in value and not (may_lack and item is not None and value[name] is None)
        if item is not None:
            note(item, _told(given))
        below = self.properties.get(name)
        if below is None:
            return
        if given:
            below.visit(value[name], note)
        elif may_lack:
            below.unused(note)

    def _visit_rest(self, value: dict[str, Any], note: Note) -> None:
        rest = {name: item for name, item in value.items() if name not in self.properties}
        for item, matches, below in self.patterns:
            found = [name for name in value if matches(name)]
            note(item, Outcome.MATCH if found else Outcome.NO_MATCH)
            rest = {name: other for name, other in rest.items() if name not in found}
            if below is not None:
                _each(below, [value[name] for name in found], note)
        if self.rest is not None:
            _each(self.rest, list(rest.values()), note)

    def _visit_list(self, value: Any, note: Note) -> None:
        if not isinstance(value, list):
            for below in (*self.first, self.items, self.contains):
                if below is not None:
                    below.silent(note)
            return
        for i, below in enumerate(self.first):
            if below is not None:
                _each(below, value[i : i + 1], note)
        if self.items is not None:
            _each(self.items, value[len(self.first) :], note)
        if self.contains is not None:
            _each(self.contains, value, note)


def _each(node: Node, values: list[Any], note: Note) -> None:
    for value in values:
        node.visit(value, note)
    if not values:
        node.unused(note)


def _told(kept: bool) -> Outcome:  # noqa: FBT001 - it is what is told
    return Outcome.NO_MATCH if kept else Outcome.MATCH
