"""Requests in which a part of a condition has a value: the function of the part, undone."""

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, Protocol

from policy_engine.cel import BOOL, CANNOT_TELL, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP
from policy_engine.cel.nodes import Call, Conditional, Node
from policy_engine.cel.values import Duration, Timestamp
from policy_engine.lint.proof.regexes import sample as texts_of
from policy_engine.lint.proof.regexes import search
from policy_engine.testing.search.beside import edges, instant, written
from policy_engine.testing.search.declared import Declared
from policy_engine.testing.search.evaluated import Evaluated
from policy_engine.testing.search.places import Place, at_place, clash, place_of, put
from policy_engine.testing.search.sample import ABSENT, OTHER, Sample

__all__ = ["Reaching", "Turn"]

_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND
_WIDE: Final = 2_000
"""A longer list is not made up."""
_LONG: Final = 2_000_000
"""Nor is a longer text."""
_EXACT: Final = 2**53
"""Up to here every whole number is a double."""
_FEW: Final = 3
_TRIED: Final = 200
"""So many signs of a text are tried to be repeated."""
_AS_THEY_ARE: Final = frozenset({"double", "int", "uint", "string", "dyn", "value"})
_COMPUTING: Final = frozenset("+-*/")
_FOLDING: Final = frozenset({"lowerAscii", "upperAscii", "trim"})
_PARTS: Final[Mapping[str, tuple[int, int]]] = {
    "getMilliseconds": (1_000_000, 1_000),
    "getSeconds": (_SECOND, 60),
    "getMinutes": (60 * _SECOND, 60),
    "getHours": (3_600 * _SECOND, 24),
    "getDayOfWeek": (_DAY, 7),
    "getDate": (_DAY, 62),
    "getDayOfMonth": (_DAY, 62),
    "getDayOfYear": (_DAY, 366),
    "getMonth": (28 * _DAY, 14),
    "getFullYear": (365 * _DAY, 12),
}
"""A part of a point in time -> in which steps it is looked for, and how many."""


class Turn(Protocol):
    """Turns conditions."""

    def __call__(self, node: Node, sample: Sample, *, to: bool) -> Iterator[Sample]:
        """Yield samples of which a condition comes to an outcome."""


class Reaching:
    """Puts values where parts of conditions read them.

    Args:
        declared: What the values must fit.
        asked: Asks parts of conditions.
        fixed: Places that nothing is put at.
    """

    def __init__(
        self, declared: Declared, asked: Evaluated, fixed: frozenset[Place] = frozenset()
    ) -> None:
        self.declared = declared
        self.asked = asked
        self.fixed = fixed

    def reached(self, node: Node, value: Any, sample: Sample, turn: Turn) -> Iterator[Sample]:
        """Yield samples in which a part of a condition probably has a value.

        Args:
            node: The part.
            value: As conditions compute it.
            sample: What to change.
            turn: Brings conditions within it to an outcome.
        """
        place = place_of(node)
        if place is not None:
            yield from self.placed(place, value, sample)
            return
        match node:
            case Call():
                yield from self._called(node, value, sample, turn)
            case Conditional(test=test, then=then, otherwise=otherwise):
                for part, to in ((then, True), (otherwise, False)):
                    for one in islice(turn(test, sample, to=to), _FEW):
                        yield from self.reached(part, value, one, turn)
        if getattr(node, "type", None) == BOOL and isinstance(value, bool):
            yield from turn(node, sample, to=value)

    def _called(self, node: Call, value: Any, sample: Sample, turn: Turn) -> Iterator[Sample]:
        inner, name = node.arguments[0] if node.arguments else node, node.function
        if name in ("timestamp", "duration"):
            as_is = getattr(inner, "type", None) in (TIMESTAMP, DURATION)
            given = value if as_is or not isinstance(value, int) else written(value)
            yield from self.reached(inner, given, sample, turn)
        elif name == "size" and isinstance(value, int):
            while isinstance(inner, Call) and inner.function in _FOLDING:
                inner = inner.arguments[0]
            held = place_of(inner)
            yield from () if held is None else self.sized(held, value, sample)
        elif name in _AS_THEY_ARE:
            yield from self.reached(inner, value, sample, turn)
        elif name in _FOLDING and isinstance(value, str):
            for text in dict.fromkeys((value, value.upper(), value.title())):
                yield from self.reached(inner, text, sample, turn)
        elif name in _COMPUTING and len(node.arguments) == 2:
            yield from self._computed(node, value, sample, turn)
        elif name in _PARTS:
            yield from self._at_time(node, inner, value, sample, turn)

    def placed(self, place: Place, value: Any, sample: Sample) -> Iterator[Sample]:
        """Yield a sample in which a value stands at a place, if it may."""
        if clash(place, self.fixed):
            return
        for one in _written(place, value):
            if self.declared.admits(place, one):
                changed = put(sample, place, one)
                if changed is not None:
                    yield changed
                    return

    def sized(self, place: Place, length: int, sample: Sample) -> Iterator[Sample]:
        """Yield samples in which a text, a list or an object at a place has a size."""
        if not 0 <= length <= _LONG:
            return
        held = at_place(sample, place)
        if held is ABSENT:
            held = self.declared.plain(place)
        if isinstance(held, str):
            for text in islice(self.texts(place, held, length), _FEW):
                yield from self.placed(place, text, sample)
        elif isinstance(held, list) and length <= _WIDE:
            yield from self.placed(place, self.longer(place, held, length), sample)
        elif isinstance(held, Mapping) and length <= _WIDE:
            names = [*held, *(f"a{i}" for i in range(length))][:length]
            yield from self.placed(place, {name: held.get(name, OTHER) for name in names}, sample)

    def texts(self, place: Place, held: str, length: int) -> Iterator[str]:
        """Yield texts of a length that may stand at a place."""
        values = self.declared.values(place)
        patterns = [str(s["pattern"]) for s in self.declared.schemas(place) if "pattern" in s]
        for text in dict.fromkeys((held, str(self.declared.plain(place)))):
            yield from stretched(text, length, patterns)
        values.take("string")
        values.test("shortest", length, holds=True)
        values.test("longest", length, holds=True)
        yield from (text for text in values.candidates() if isinstance(text, str))

    def longer(self, place: Place, held: list[Any], length: int) -> list[Any]:
        """Return a list of a length that begins like another."""
        items = list(held[:length])
        if len(items) < length and place[0] == "session":
            return [*items, *(f"label-{i}" for i in range(length - len(items)))]
        below = (*place, 0)
        unlike = any(schema.get("uniqueItems") for schema in self.declared.schemas(place))
        plain = items[-1] if items else self.declared.plain(below)
        more = (
            distinct(plain, lambda one: self.declared.admits(below, one), items)
            if unlike
            else iter([])
        )
        while len(items) < length:
            items.append(next(more, plain))
        return items

    def _computed(self, node: Call, value: Any, sample: Sample, turn: Turn) -> Iterator[Sample]:
        """Change either side of a sum, difference, product or quotient."""
        yield from self._undone(node, value, sample, turn)
        # Where one side alone is not enough, both are moved.
        for side in node.arguments:
            place = place_of(_bare(side))
            if place is None or getattr(side, "type", None) not in (INT, DOUBLE, DYN):
                continue
            for other in islice(self.declared.values(place).candidates(), _FEW):
                for one in self.placed(place, other, sample):
                    yield from self._undone(node, value, one, turn)

    def _undone(self, node: Call, value: Any, sample: Sample, turn: Turn) -> Iterator[Sample]:
        for i, side in enumerate(node.arguments):
            known = self.asked.value(node.arguments[1 - i], sample)
            if known is CANNOT_TELL:
                continue
            found = _inverse(node.function, value, known, is_first=i == 0)
            kind = getattr(side, "type", None)
            if isinstance(found, int) and kind in (TIMESTAMP, DURATION):
                found = Timestamp(found) if kind == TIMESTAMP else Duration(found)
            elif isinstance(found, str) is not (kind == STRING) and kind == STRING:
                found = None
            if found is not None:
                yield from self.reached(side, found, sample, turn)

    def _at_time(
        self, node: Call, inner: Node, value: Any, sample: Sample, turn: Turn
    ) -> Iterator[Sample]:
        """Try other points in time until a part of them is what is wanted."""
        step, count = _PARTS[node.function]
        begun = self.asked.value(inner, sample)
        if not isinstance(begun, Timestamp):
            return
        for i in range(1, count):
            for moved in (i, -i) if node.function == "getFullYear" else (i,):
                moment = Timestamp(begun + moved * step)
                for one in islice(self.reached(inner, moment, sample, turn), 1):
                    if self.asked.value(node, one) != value:
                        continue
                    yield one
                    # In another zone it may be another hour, day or month at either end of it.
                    for edge in edges(moment):
                        yield from islice(self.reached(inner, edge, sample, turn), 1)
                    return


def _bare(node: Node) -> Node:
    """Return what is converted, where a part of a condition only converts."""
    while isinstance(node, Call) and node.function in _AS_THEY_ARE and len(node.arguments) == 1:
        node = node.arguments[0]
    return node


def _inverse(name: str, value: Any, known: Any, *, is_first: bool) -> Any:
    """Return what one side must be for a function of both to have a value; None if nothing is."""
    if isinstance(value, str) and isinstance(known, str):
        if is_first:
            return value[: len(value) - len(known)] if value.endswith(known) else None
        return value[len(known) :] if value.startswith(known) else None
    if isinstance(value, str) or not isinstance(known, int | float):
        return None
    try:
        match name:
            case "+":
                return value - known
            case "-":
                return value + known if is_first else known - value
            case "*":
                found = value / known
                is_whole = found == int(found) and abs(found) < _EXACT
                return int(found) if is_whole else found
            case _:
                return value * known if is_first else known / value
    except (ArithmeticError, TypeError, ValueError):
        return None


def _written(place: Place, value: Any) -> Iterator[Any]:
    """Yield how a request holds a value that conditions compute."""
    if isinstance(value, Timestamp):
        if place[0] in ("now", "session"):
            yield instant(value)
    elif isinstance(value, tuple):
        yield [item for one in value for item in _written(place, one)]
    elif isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        yield int(value)
    elif isinstance(value, float):
        yield from (round(value, 6), value)
        if math.isfinite(value):
            yield from (math.floor(value), math.ceil(value))
    elif isinstance(value, Mapping):
        yield {str(key): item for key, item in value.items()}
    elif not isinstance(value, Duration):
        yield value


def stretched(text: str, length: int, patterns: list[str]) -> Iterator[str]:
    """Yield texts of a length, made of another by repeating one sign or leaving some out.

    Args:
        text: The text.
        length: How long they are, in code points.
        patterns: What is found in each.
    """
    for base in dict.fromkeys((text, *(one for pattern in patterns for one in texts_of(pattern)))):
        more = length - len(base)
        for i in range(min(len(base), _TRIED)):
            made = base[:i] + (base[i] * more + base[i:] if more >= 0 else base[i - more :])
            if len(made) == length and all(search(pattern, made) is True for pattern in patterns):
                yield made


def distinct(plain: Any, fits: Callable[[Any], bool], held: list[Any]) -> Iterator[Any]:
    """Yield values that are unlike each other, and unlike those that are held.

    Args:
        plain: One that fits.
        fits: Whether a value does.
        held: What is there already.
    """
    for i in range(1, _WIDE):
        made: list[Any] = [i]
        if isinstance(plain, str):
            last = str(i)
            made = [
                f"{i}{plain}",
                f"{plain}{i}",
                f"{plain[: -len(last)]}{last}",
                f"{plain[:-1]}{i}",
            ]
        elif isinstance(plain, dict):
            made = [{**plain, key: f"{value}{i}"} for key, value in plain.items()]
        yield from [one for one in made if one not in held and fits(one)][:1]
