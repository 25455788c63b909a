"""Requests of which two conditions come to different things: one is changed in a single place.

Theory of operation. The two trees are gone down together to where they differ. On the way every
other side of `&&` is made true and of `||` false, for only then what differs decides; of a macro
one element is left. Where the two differ, requests are tried of which either comes to either
outcome: the values next to a bound are among them, so one of them lies between two bounds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import islice
from typing import Any, Final

from policy_engine.cel import BOOL
from policy_engine.cel.nodes import (
    And,
    Bind,
    Call,
    Conditional,
    Index,
    Literal,
    Loop,
    Node,
    Not,
    Or,
    children,
    walk,
    with_local,
)
from policy_engine.lint.proof.formula import Formula, Term, TooManyError, formula
from policy_engine.lint.proof.solve import cases
from policy_engine.lint.proof.values import Values
from policy_engine.testing.search.between import between
from policy_engine.testing.search.declared import Declared
from policy_engine.testing.search.evaluated import Evaluated
from policy_engine.testing.search.lists import Goal
from policy_engine.testing.search.places import Place, at_place, place_of
from policy_engine.testing.search.reaching import Reaching
from policy_engine.testing.search.sample import ABSENT, Sample, in_turn
from policy_engine.testing.search.turning import Turning

__all__ = ["Telling"]

_FEW: Final = 4
_TEXTS: Final = 60
_MANY: Final = 24
"""So many requests of which one side decides alone are gone into."""


class Telling:
    """Tells conditions apart.

    Args:
        declared: What values must fit.
        asked: Asks parts of conditions.
        most: How many requests are made up.
    """

    def __init__(self, declared: Declared, asked: Evaluated, most: int = 2_000) -> None:
        self._declared = declared
        self._asked = asked
        self._turning = Turning(declared, asked, most=most)
        self._reaching = Reaching(declared, asked)

    def apart(self, old: Node, new: Node, sample: Sample) -> Iterator[Sample]:
        """Yield samples of which two conditions come to different outcomes."""
        for one in self._within(old, new, sample):
            if self._differ(old, new, one):
                yield one

    def _differ(self, old: Node, new: Node, sample: Sample) -> bool:
        return self._asked.value(old, sample) is not self._asked.value(new, sample)

    def _within(self, old: Node, new: Node, sample: Sample) -> Iterator[Sample]:
        match old, new:
            case (And(), And()):
                yield from self._clauses(old, new, sample)
            case (Or(), Or()):
                yield from self._clauses(old, new, sample)
            case (And(terms=terms), _) if new in terms:
                yield from self._without(old, (new,), sample)
            case (Or(terms=terms), _) if new in terms:
                yield from self._without(old, (new,), sample)
            case (Not(operand=mine), Not(operand=its)):
                yield from self.apart(mine, its, sample)
            case (Conditional(), Conditional()):
                yield from self._choices(old, new, sample)
            case (Loop(), Loop()):
                yield from self._looped(old, new, sample)
            case (Bind(), Bind()) if old.value == new.value:
                mine = with_local(old.body, old.variable, old.value)
                yield from self.apart(mine, with_local(new.body, new.variable, new.value), sample)
        yield from self._leaves(old, new, sample)

    def _clauses(self, old: And | Or, new: And | Or, sample: Sample) -> Iterator[Sample]:
        if len(old.terms) != len(new.terms):
            yield from self._without(old, new.terms, sample)
            return
        idle = isinstance(old, And)
        differing = [i for i, (a, b) in enumerate(zip(old.terms, new.terms, strict=True)) if a != b]
        if len(differing) != 1:
            return
        i = differing[0]
        goals = [(term, idle) for k, term in enumerate(old.terms) if k != i]
        yield from self._beside(goals, old.terms[i], new.terms[i], sample)

    def _beside(self, goals: list[Goal], old: Node, new: Node, sample: Sample) -> Iterator[Sample]:
        """Tell one clause apart where all others leave it to that one."""
        for one in islice(self._turning.together(goals, sample), _FEW):
            for told in islice(self.apart(old, new, one), _MANY):
                yield told
                # What tells the clause apart may have undone what leaves it to that.
                fixed = frozenset(_changed_places(old, new, one, told))
                turning = Turning(self._declared, self._asked, fixed, most=200)
                yield from islice(turning.together(goals, told), _FEW)

    def _without(self, old: And | Or, left: tuple[Node, ...], sample: Sample) -> Iterator[Sample]:
        """Let the clause that is gone decide."""
        idle = isinstance(old, And)
        goals = [(term, idle if term in left else not idle) for term in old.terms]
        yield from islice(self._turning.together(goals, sample), _MANY)

    def _choices(self, old: Conditional, new: Conditional, sample: Sample) -> Iterator[Sample]:
        if old.test != new.test:
            for one in islice(self.apart(old.test, new.test, sample), _MANY):
                goals = ((old.then, True), (old.otherwise, False))
                for way in (goals, [(node, not to) for node, to in goals]):
                    yield from islice(self._turning.together(list(way), one), _FEW)
            return
        pairs = ((True, old.then, new.then), (False, old.otherwise, new.otherwise))
        for to, mine, its in pairs:
            if mine != its:
                yield from self._beside([(old.test, to)], mine, its, sample)

    def _looped(self, old: Loop, new: Loop, sample: Sample) -> Iterator[Sample]:
        place = place_of(old.range)
        if place is None or old.condition is None or new.condition is None:
            return
        held = at_place(sample, place)
        first = held[:1] if isinstance(held, list) else []
        plain = first or [self._declared.plain((*place, 0))]
        if old.range == new.range and old.condition != new.condition:
            mine, its = (
                self._turning.lists.of_element(old, 0),
                self._turning.lists.of_element(new, 0),
            )
            for items in (plain, held if isinstance(held, list) else plain):
                for one in self._reaching.placed(place, items, sample):
                    yield from self.apart(mine, its, one)
        elif old.kind != new.kind:
            # Of one element it is the same whether one is meant or every one.
            bodies = [self._turning.lists.of_element(old, i) for i in (0, 1)]
            two = self._reaching.longer(place, plain, len(bodies))
            for one in self._reaching.placed(place, two, sample):
                for to in (True, False):
                    goals = [(bodies[0], to), (bodies[1], not to)]
                    yield from islice(self._turning.together(goals, one), _FEW)

    def _leaves(self, old: Node, new: Node, sample: Sample) -> Iterator[Sample]:
        """Go through requests of which either comes to either outcome."""
        yield from self._solved(old, new, sample)
        match old, new:
            case (
                Call(function="matches", arguments=(left, Literal(value=str(mine)))),
                Call(function="matches", arguments=(_, Literal(value=str(its)))),
            ):
                yield from self._matching(left, mine, its, sample)
        ways = [
            *(self._turning.turned(node, sample, to=True) for node in _left_out(old)),
            *(self._turning.turned(node, sample, to=True) for node in _left_out(new)),
        ]
        ways += [
            self._turning.turned(node, one, to=to)
            for one in (sample, *self._keyed(old, new, sample), *self._chosen(old, sample))
            for node in (new, old)
            for to in (True, False)
        ]
        yield from in_turn(ways)

    def _keyed(self, old: Node, new: Node, sample: Sample) -> Iterator[Sample]:
        """Yield samples that choose what is different among what a constant holds."""
        for mine, its in zip(walk(old), walk(new), strict=False):
            match mine, its:
                case (
                    Index(operand=Literal(value=Mapping() as held), key=key),
                    Index(operand=Literal(value=Mapping() as now)),
                ):
                    for name in [one for one in held if held[one] != now.get(one)]:
                        yield from self._reaching.reached(key, name, sample, self._turning.turned)

    def _chosen(self, node: Node, sample: Sample) -> Iterator[Sample]:
        """Yield samples of which a part of a condition chooses otherwise."""
        waiting = [] if isinstance(node, Conditional) else [node]
        while waiting:
            one = waiting.pop()
            if isinstance(one, Conditional):
                to = not self._asked.comes(one.test, sample, to=True)
                yield from islice(self._turning.turned(one.test, sample, to=to), 1)
            waiting.extend(() if isinstance(one, Loop | Bind) else children(one))

    def _matching(self, left: Node, old: str, new: str, sample: Sample) -> Iterator[Sample]:
        """Try texts that only one of two patterns finds."""
        place = place_of(left)
        if place is None:
            return
        schemas = {"type": "string", "pattern": old}, {"type": "string", "pattern": new}
        for before, after in (schemas, schemas[::-1]):
            for text in islice(between(before, after, at_place(sample, place)), _TEXTS):
                yield from self._reaching.placed(place, text, sample)

    def _solved(self, old: Node, new: Node, sample: Sample) -> Iterator[Sample]:
        """Put the values that a proof finds where they are read."""
        for to in (True, False):
            wanted = formula(old, holds=to), formula(new, holds=not to)
            yield from self.solved(wanted, sample)

    def solved(self, wanted: tuple[Formula, ...], sample: Sample) -> Iterator[Sample]:
        """Yield samples in which formulas about single values hold together."""
        try:
            found = list(islice(cases(*wanted, base=self._base), _FEW))
        except TooManyError:
            return
        for case in found:
            made = [sample]
            for term, values in case.values.items():
                made = [
                    changed
                    for one in made
                    for value in islice(values.candidates(), _FEW)
                    for changed in self._put(term, value, one)
                ]
                made = made[:_MANY]
            yield from made

    def _put(self, term: Term, value: Any, sample: Sample) -> Iterator[Sample]:
        if term[0] == "size":
            yield from self._reaching.sized(term[1:], value, sample)
        elif term[0] not in ("now", "lowerAscii", "upperAscii", "trim"):
            yield from self._reaching.placed(term, value, sample)

    def _base(self, term: Term) -> Values:
        if term[0] == "size":
            sizes = Values("integer")
            sizes.bound(low=0, is_open=False)
            return sizes
        return self._declared.values(term)


def _left_out(node: Node) -> Iterator[Node]:
    """Yield a comparison of how many elements there are as one of those that are left out."""
    match node:
        case Call(arguments=(Call(function="size", arguments=(Loop() as loop,)) as sized, bound)):
            if loop.kind == "filter" and loop.condition is not None:
                test = Not(loop.start, loop.end, loop.condition, BOOL)
                counted = replace(sized, arguments=(replace(loop, condition=test),))
                yield replace(node, arguments=(counted, bound))


def _changed_places(old: Node, new: Node, before: Sample, after: Sample) -> Iterator[Place]:
    """Yield the places that two conditions read and that hold something else than before."""
    waiting: list[Any] = [old, new]
    while waiting:
        node = waiting.pop()
        place = place_of(node) if isinstance(node, Node) else None
        if place is not None:
            was, now = at_place(before, place), at_place(after, place)
            if (was is ABSENT) is not (now is ABSENT) or was != now:
                yield place
        elif isinstance(node, Node):
            waiting.extend(getattr(node, one.name) for one in fields(node))
        elif isinstance(node, tuple):
            waiting.extend(node)
