"""Requests of which what is asked of a list, or of its elements, comes to an outcome."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final, Protocol, TypeAlias

from policy_engine.cel import CANNOT_TELL, DYN, INT
from policy_engine.cel.nodes import Index, ListItems, Literal, Loop, Node, with_local
from policy_engine.cel.values import List
from policy_engine.testing.search.declared import Declared
from policy_engine.testing.search.elements import Filled, literal
from policy_engine.testing.search.evaluated import Evaluated
from policy_engine.testing.search.places import Place, at_place, place_of, put
from policy_engine.testing.search.reaching import Reaching
from policy_engine.testing.search.sample import OTHER, Sample, in_turn

__all__ = ["Goal", "Lists"]

Goal: TypeAlias = tuple[Node, bool]
"""A condition, and what it is to come to."""
_WIDE: Final = 8
_ROWS: Final = 40
"""Of so many elements each may be turned."""
_FEW: Final = 3
_MANY: Final = 200
"""More elements that a macro asks for are not made up."""


class _Turns(Protocol):
    """Turns conditions."""

    def turned(self, node: Node, sample: Sample, *, to: bool) -> Iterator[Sample]:
        """Yield samples of which a condition comes to an outcome."""

    def together(self, goals: list[Goal], sample: Sample) -> Iterator[Sample]:
        """Yield samples of which several conditions come to what is wanted of each."""


class Lists:
    """Turns conditions about lists.

    Args:
        declared: What values must fit.
        asked: Asks parts of conditions.
        reaching: Puts values where they are read.
        filled: Gives what is read and is not there.
        turns: Turns what is asked of elements.
    """

    def __init__(
        self,
        declared: Declared,
        asked: Evaluated,
        reaching: Reaching,
        filled: Filled,
        turns: _Turns,
    ) -> None:
        self._declared = declared
        self._asked = asked
        self._reaching = reaching
        self._filled = filled
        self._turns = turns

    def _reached(self, node: Node, value: Any, sample: Sample) -> Iterator[Sample]:
        yield from self._reaching.reached(node, value, sample, self._turns.turned)

    def listed(self, item: Node, over: Node, sample: Sample, *, to: bool) -> Iterator[Sample]:
        """Let an item be in a list, or not be: change the one or the other."""
        value, held = self._asked.value(item, sample), self._asked.value(over, sample)
        yield from self._with_item(item, held, sample, to=to)
        place = place_of(over)
        if place is None or value is CANNOT_TELL:
            return
        if isinstance(held, dict) or place[-1] == "calls":
            changed = put(sample, (*place, str(value)), 1 if to else 0)
            yield from [] if changed is None else [changed]
            return
        kept = [one for one in _elements_of(held) if one != value]
        yield from self._reaching.placed(place, [*kept, value] if to else kept, sample)
        others = [value] if to else [one for one in self._declared.elements(place) if one != value]
        for one in others if to or not kept else ():
            yield from self._reaching.placed(place, [one], sample)

    def _with_item(self, item: Node, held: Any, sample: Sample, *, to: bool) -> Iterator[Sample]:
        """Put what is in a list where the item is read, or what is not."""
        listed, known = _elements_of(held), place_of(item)
        values: list[Any] = listed[:_WIDE] if to else [OTHER]
        if not to and known is not None:
            for one in (*listed[:1], OTHER):
                values.extend(self._declared.others(known, one))
        for value in values:
            yield from self._reached(item, value, sample)

    def looped(self, node: Loop, sample: Sample, *, to: bool) -> Iterator[Sample]:
        """Turn what a macro asks of elements: of one of them, or of every one."""
        over, test = node.range, node.condition
        if test is None:
            return
        wants_one = (node.kind != "all") is to
        inner = to
        if isinstance(over, Literal | ListItems):
            items = over.items if isinstance(over, ListItems) else None
            if items is None and isinstance(over.value, List):  # type: ignore[union-attr]
                items = tuple(literal(over, value) for value in over.value)  # type: ignore[union-attr]
            bodies = [with_local(test, node.variables[0], item) for item in items or ()]
            if wants_one:
                yield from in_turn([self._turns.turned(body, sample, to=inner) for body in bodies])
            else:
                yield from self._turns.together([(body, inner) for body in bodies], sample)
            return
        place = place_of(over)
        if place is not None:
            yield from self._elements(node, place, self._filled.of(over, sample), to=to)

    def _elements(
        self,
        node: Loop,
        place: Place,
        sample: Sample,
        *,
        to: bool,
    ) -> Iterator[Sample]:
        held = at_place(sample, place)
        items = held if isinstance(held, list) else []
        bodies = [self.of_element(node, i) for i in range(len(items) + 1)]
        plain = self._declared.plain((*place, 0))
        one_only = list(self._reaching.placed(place, [plain], sample))
        if (node.kind != "all") is to:
            more = self._reaching.placed(place, [*items, plain], sample)
            ways = [self._turns.turned(bodies[len(items)], one, to=to) for one in more]
            ways.extend(
                self._turns.turned(bodies[i], sample, to=to) for i in range(min(len(items), _FEW))
            )
            ways.extend(self._turns.turned(bodies[0], one, to=to) for one in one_only)
            yield from in_turn(ways)
            return
        kept = [
            item
            for item, body in zip(items, bodies, strict=False)
            if self._asked.comes(body, sample, to=to)
        ]
        if kept:
            yield from self._reaching.placed(place, kept, sample)
        for one in one_only:
            yield from self._turns.turned(bodies[0], one, to=to)
        yield from self._reaching.placed(place, [], sample)
        if len(items) <= _ROWS:
            yield from self._turns.together([(body, to) for body in bodies[: len(items)]], sample)

    def counted(self, node: Loop, count: int, sample: Sample) -> Iterator[Sample]:
        """Let so many elements of a list be what a macro asks for, and no others be there."""
        place = place_of(node.range)
        if place is None or not 0 <= count <= _MANY:
            return
        if node.condition is None or count == 0:
            yield from self._reaching.sized(place, count, sample)
            return
        held = at_place(sample, place)
        held = held if isinstance(held, list) else []
        plain = self._declared.plain((*place, 0))
        # What is not counted may be what another condition looks for.
        bodies = [self.of_element(node, i) for i in range(min(len(held), _WIDE))]
        kept = [one for i, one in enumerate(held[:_WIDE]) if self._is_left_out(bodies[i], sample)]
        for first in [*held[:1], plain]:
            for one in self._reaching.placed(place, [first], sample):
                for found in islice(
                    self._turns.turned(self.of_element(node, 0), one, to=True), _WIDE
                ):
                    items = at_place(found, place)
                    if isinstance(items, list) and items:
                        longer = self._reaching.longer(place, items[:1], count)
                        for rest in (kept, []) if kept else ([],):
                            yield from self._reaching.placed(place, [*rest, *longer], found)

    def _is_left_out(self, body: Node, sample: Sample) -> bool:
        return self._asked.comes(body, sample, to=False)

    def of_element(self, node: Loop, number: int) -> Node:
        """Return what a macro asks of an element."""
        assert node.condition is not None  # noqa: S101 - asked before
        variable = node.variables[0]
        key = Literal(node.start, node.start, number, INT)
        kind = getattr(variable, "type", DYN)
        element = Index(node.start, node.start, node.range, key, type=kind)
        return with_local(node.condition, variable, replace(element, end=node.end))


def _elements_of(held: Any) -> list[Any]:
    return list(held) if isinstance(held, Iterable) else []
