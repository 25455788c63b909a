"""What a value may be: anything in one of several boxes, one for each alternative of a schema."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, zip_longest
from typing import Any, Final

from policy_engine.lint.proof.box import Box, Listed

__all__ = ["Values"]

_MOST: Final = 64
"""So many candidates are tried."""
_NOTHING: Final = object()


class Values:
    """Values that are in any of some boxes."""

    __slots__ = ("boxes",)

    def __init__(self, kind: str = "any", boxes: Iterable[Box] | None = None) -> None:
        self.boxes = [Box(kind)] if boxes is None else list(boxes)

    def copy(self) -> "Values":
        """Return values that can be narrowed by themselves."""
        return Values(boxes=[box.copy() for box in self.boxes])

    def _each(self, narrow: Callable[[Box], None]) -> None:
        for box in self.boxes:
            narrow(box)

    @property
    def _left(self) -> list[Box]:
        return [box for box in self.boxes if not box.is_empty]

    def be(self, kind: str) -> None:
        """Leave only values of a kind."""
        self._each(lambda box: box.be(kind))

    def take(self, kind: str) -> None:
        """Take values of which nothing is known for ones of a kind."""
        self._each(lambda box: box.be(kind) if box.kind == "any" else None)

    def choose(self, values: Iterable[Any]) -> None:
        """Leave only these values."""
        known = list(values)
        self._each(lambda box: box.choose(known))

    def bound(self, *, low: float = -math.inf, high: float = math.inf, is_open: bool) -> None:
        """Leave only numbers within a bound."""
        self._each(lambda box: box.bound(low=low, high=high, is_open=is_open))

    def limit(self, shortest: float, longest: float) -> None:
        """Leave only texts of such a length."""
        for box in self.boxes:
            if box.kind == "string":
                box.shortest = max(box.shortest, math.ceil(max(shortest, 0)))
                box.longest = min(box.longest, longest)

    def test(self, kind: str, operand: Any, *, holds: bool) -> None:
        """Leave only the values for which a test holds, or does not."""
        self._each(lambda box: box.test(kind, operand, holds=holds))

    def admits(self, value: Any) -> bool:
        """Whether a value passes every test of a box; a pattern that cannot be tried passes."""
        return any(box.admits(value) for box in self.boxes)

    @property
    def is_empty(self) -> bool:
        """Whether certainly no value is left."""
        return all(box.is_empty for box in self.boxes)

    @property
    def is_absent(self) -> bool:
        """Whether it must not be there."""
        return all(box.present is False for box in self.boxes)

    @property
    def chosen(self) -> list[Any] | None:
        """All that it may be, where that is a list."""
        made: list[Any] = []
        listed = Listed()
        for box in self._left:
            if box.chosen is None:
                return None
            for value in box.admitted(box.chosen):
                if value not in listed:
                    listed.add(value)
                    made.append(value)
        return made

    @property
    def lowest(self) -> tuple[float, bool]:
        """A bound below every number, and whether it is none of them."""
        return min(
            ((low, is_open) for low, is_open, _, _ in self._ends), default=(-math.inf, False)
        )

    @property
    def highest(self) -> tuple[float, bool]:
        """A bound above every number, and whether it is none of them."""
        found = [(high, not is_open) for _, _, high, is_open in self._ends]
        high, is_closed = max(found, default=(math.inf, True))
        return high, not is_closed

    @property
    def _ends(self) -> list[tuple[float, bool, float, bool]]:
        found = (box.ends for box in self._left)
        return [ends for ends in found if ends is not None]

    def listed(self, most: int) -> list[Any] | None:
        """Return every value that is left, where they are certainly few; None where not."""
        made: list[Any] = []
        for box in self._left:
            few = box.listed(most)
            if few is None or len(made) + len(few) > most:
                return None
            made.extend(few)
        return made

    @property
    def lengths(self) -> tuple[int, float]:
        """How long a text is, at least and at most."""
        left = self._left
        return (
            min((box.shortest for box in left), default=0),
            max((box.longest for box in left), default=math.inf),
        )

    def candidates(self) -> Iterator[Any]:
        """Go through some values that are left, the plainest first."""
        rows = zip_longest(*(box.candidates() for box in self.boxes), fillvalue=_NOTHING)
        for row in islice(rows, _MOST):
            yield from (value for value in row if value is not _NOTHING)
