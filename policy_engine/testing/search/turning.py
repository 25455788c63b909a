"""Requests of which a condition comes to a wanted outcome, made from one of which it does not.

Theory of operation. A condition is walked from its root. Of `&&` that is to be true every side is
turned, one after the other, and whatever that undid once more; of `&&` that is to be false one
side is enough. A comparison is turned by putting a value next to the one side where the other side
reads it, through sums, sizes and times, as far as functions can be undone. What an element of a
list is asked is asked of its first or of a new one. Every request is asked what it comes to before
it is handed on; those that policies declare no such value for are left out.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from policy_engine.cel import BOOL, CANNOT_TELL
from policy_engine.cel.nodes import (
    And,
    Bind,
    Call,
    Conditional,
    Has,
    Literal,
    Loop,
    Node,
    Not,
    OptionalMap,
    Or,
    children,
    with_local,
)
from policy_engine.testing.search.beside import ORDER, about, beside
from policy_engine.testing.search.declared import Declared
from policy_engine.testing.search.elements import Filled
from policy_engine.testing.search.evaluated import Evaluated
from policy_engine.testing.search.lists import Goal, Lists
from policy_engine.testing.search.places import Place, place_of, put
from policy_engine.testing.search.reaching import Reaching
from policy_engine.testing.search.sample import ABSENT, Sample, in_turn
from policy_engine.testing.search.texts import texts_for

__all__ = ["Turning"]

_WIDE: Final = 8
"""So many ways to turn one side of a condition are gone into."""
_FEW: Final = 3
_DEEP: Final = 4
"""So many sides more than there are may be turned, for one turned may undo another."""
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_TEXTUAL: Final = frozenset({"startsWith", "endsWith", "contains", "matches"})


class Turning:
    """Turns conditions.

    Args:
        declared: What values must fit.
        asked: Asks parts of conditions.
        fixed: Places that nothing is put at.
        most: How many requests are made up.
    """

    def __init__(
        self,
        declared: Declared,
        asked: Evaluated,
        fixed: frozenset[Place] = frozenset(),
        most: int = 2_000,
    ) -> None:
        self._declared = declared
        self._asked = asked
        self._reaching = Reaching(declared, asked, fixed)
        self._filled = Filled(declared, asked, self._reaching)
        self.lists = Lists(declared, asked, self._reaching, self._filled, self)
        """Turns what is asked of lists."""
        self._left = most

    def turned(self, node: Node, sample: Sample, *, to: bool) -> Iterator[Sample]:
        """Yield samples of which a condition comes to an outcome, the nearest first.

        Args:
            node: The condition.
            sample: What to change.
            to: The outcome.
        """
        if self._asked.comes(node, sample, to=to):
            yield sample
        for one in self._changed(node, sample, to=to):
            self._left -= 1
            if self._left < 0:
                return
            if self._asked.comes(node, one, to=to):
                yield one

    def together(self, goals: list[Goal], sample: Sample, deep: int = _DEEP) -> Iterator[Sample]:
        """Yield samples of which several conditions come to what is wanted of each."""
        yield from self._together(goals, sample, len(goals) + deep)

    def _together(self, goals: list[Goal], sample: Sample, deep: int) -> Iterator[Sample]:
        lacking = next((g for g in goals if not self._asked.comes(g[0], sample, to=g[1])), None)
        if lacking is None:
            yield sample
        elif deep > 0:
            for one in islice(self.turned(lacking[0], sample, to=lacking[1]), _WIDE):
                yield from self._together(goals, one, deep - 1)

    def _changed(self, node: Node, sample: Sample, *, to: bool) -> Iterator[Sample]:
        """Yield samples of which a condition may come to an outcome."""
        match node:
            case Not(operand=operand):
                yield from self.turned(operand, sample, to=not to)
            case And(terms=terms) | Or(terms=terms):
                if isinstance(node, And) is to:
                    yield from self.together([(term, to) for term in terms], sample)
                else:
                    yield from in_turn([self.turned(term, sample, to=to) for term in terms])
            case Conditional(test=test, then=then, otherwise=otherwise):
                for chosen, part in ((True, then), (False, otherwise)):
                    yield from self.together([(test, chosen), (part, to)], sample)
            case _:
                yield from self._single(node, sample, to=to)

    def _single(self, node: Node, sample: Sample, *, to: bool) -> Iterator[Sample]:
        match node:
            case Has():
                yield from self._given(node, sample, to=to)
            case Loop(kind="all" | "exists" | "exists_one", variables=(_,)):
                yield from self.lists.looped(node, sample, to=to)
            case Bind(variable=variable, value=value, body=body):
                yield from self.turned(with_local(body, variable, value), sample, to=to)
            case Call():
                filled = self._filled.of(node, sample)
                if filled is not sample:
                    yield filled
                yield from self._called(node, filled, to=to)
            case _ if getattr(node, "type", None) == BOOL and place_of(node) is not None:
                yield from self._reached(node, to, self._filled.of(node, sample))

    def _given(self, node: Has, sample: Sample, *, to: bool) -> Iterator[Sample]:
        above = place_of(node.operand)
        if above is None:
            return
        place = (*above, node.field)
        if to:
            yield from self._reaching.placed(place, self._declared.plain(place), sample)
            return
        lacking = put(sample, place, ABSENT)
        if lacking is not None and not any(place[: len(p)] == p for p in self._reaching.fixed):
            yield lacking

    def _reached(self, node: Node, value: Any, sample: Sample) -> Iterator[Sample]:
        match node:
            case Call(function="size", arguments=(Loop() as inner,)) if isinstance(value, int):
                yield from self.lists.counted(inner, value, sample)
            case _:
                yield from self._reaching.reached(node, value, sample, self.turned)

    def _called(self, node: Call, sample: Sample, *, to: bool) -> Iterator[Sample]:
        match node:
            case Call(function=name, arguments=(left, right)) if name in ORDER:
                yield from self._compared(node, left, right, sample, to=to)
            case Call(function="in", arguments=(item, over)):
                yield from self.lists.listed(item, over, sample, to=to)
            case Call(function=name, arguments=(left, right)) if name in _TEXTUAL:
                yield from self._textual(node, left, right, sample, to=to)
            case _:
                if node.type == BOOL and place_of(node) is not None:
                    yield from self._reached(node, to, sample)
                yield from self._tried(node, sample)

    def _compared(
        self,
        node: Call,
        left: Node,
        right: Node,
        sample: Sample,
        *,
        to: bool,
    ) -> Iterator[Sample]:
        """Put a value on the one side that is next to the other side's."""
        ways = []
        sides = ((left, right, node.function), (right, left, _FLIPPED[node.function]))
        for mine, its, said in sides:
            bound = self._asked.value(its, sample)
            if bound is not CANNOT_TELL:
                ways.append(self._beside(mine, said, bound, sample, to=to))
        yield from in_turn(ways)

    def _beside(
        self,
        node: Node,
        said: str,
        bound: Any,
        sample: Sample,
        *,
        to: bool,
    ) -> Iterator[Sample]:
        for value in beside(said, bound, to=to):
            yield from self._reached(node, value, sample)
        place = place_of(node)
        if said in ("==", "!=") and (said == "==") is to:
            yield from self._reached(node, bound, sample)
        elif place is not None and said in ("==", "!="):
            for value in self._declared.others(place, bound):
                yield from self._reached(node, value, sample)
        elif place is not None and isinstance(bound, int | float):
            yield from self._narrowed(place, said, bound, sample, to=to)

    def _narrowed(
        self,
        place: Place,
        said: str,
        bound: float,
        sample: Sample,
        *,
        to: bool,
    ) -> Iterator[Sample]:
        """Put a number at a place that its schema takes, on the side of a bound that is wanted."""
        values = self._declared.values(place)
        values.take("number")
        kind, holds = (said, to) if said in ("<", "<=") else ("<=" if said == ">" else "<", not to)
        values.test(kind, bound, holds=holds)
        for value in islice(values.candidates(), _WIDE):
            yield from self._reaching.placed(place, value, sample)

    def _textual(
        self,
        node: Call,
        left: Node,
        right: Node,
        sample: Sample,
        *,
        to: bool,
    ) -> Iterator[Sample]:
        """Put a text on the one side that begins, ends or goes on as the other says, or not."""
        sought, held = self._asked.value(right, sample), self._asked.value(left, sample)
        if isinstance(sought, str):
            inner: Node = left
            while isinstance(inner, Call) and len(inner.arguments) == 1:
                inner = inner.arguments[0]
            place = place_of(inner)
            values = None if place is None else self._declared.values(place)
            for text in texts_for(node.function, sought, values, held, to=to):
                yield from self._reached(left, text, sample)
        if isinstance(held, str) and not isinstance(right, Literal) and node.function != "matches":
            for i in range(min(len(held), 40)):
                part = held[i:] if node.function == "endsWith" else held[: len(held) - i]
                yield from self._reached(right, part, sample)
            yield from self._tried(right, sample)

    def _tried(self, node: Node, sample: Sample) -> Iterator[Sample]:
        """Try what schemas take, and what a condition names, at each place that it reads."""
        waiting, places, named = [node], dict[Place, None](), []
        while waiting:
            one = waiting.pop()
            place = place_of(one)
            if place is not None:
                places[place] = None
                continue
            if isinstance(one, Literal):
                named.append(one.value)
            waiting.extend(children(one) if not isinstance(one, Loop | Bind | OptionalMap) else ())
        for place in places:
            near = (value for one in named for value in about(one))
            for value in (*islice(self._declared.values(place).candidates(), _WIDE), *near):
                yield from self._reaching.placed(place, value, sample)
