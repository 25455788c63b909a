"""What one alternative of a value may be: an interval, a finite set, or the pieces of a text.

Everything here errs to the side of "it may be": a box that is called empty is empty, so that what
is proved with it holds.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from typing import Any, Final

from policy_engine.lint.proof.language import UNKNOWN, Piece, example
from policy_engine.lint.proof.regexes import edges, sample, width
from policy_engine.lint.proof.single import (
    Listed,
    is_among,
    is_kind,
    is_multiple,
    is_number,
    number,
    passes,
    plain,
    same,
)

__all__ = ["Box", "Listed", "is_among", "same"]

_MOST: Final = 64
"""So many candidates are tried."""
_LONG: Final = 20_000
"""A longer text is not made up."""
_PARTS: Final = 1024
"""Steps of such parts of one, and no smaller, are told exactly."""


def _is_bare(values: Iterator[object]) -> bool:
    """Whether there is not one value."""
    return all(False for _ in values)


def _count(numbers: range) -> int:
    """Return how many numbers there are: `len` takes no more than a machine word holds."""
    return max(0, numbers.stop - numbers.start)


@dataclass(slots=True)
class Box:
    """The values that are left after some tests."""

    kind: str = "any"
    """`number`, `integer`, `string`, `bool`, `null`, `array`, `object` or `any`."""
    low: float = -math.inf
    low_open: bool = False
    high: float = math.inf
    high_open: bool = False
    steps: tuple[float, ...] = ()
    """What a number is a multiple of."""
    chosen: list[Any] | None = None
    """All that it may be, where that is a list."""
    excluded: list[Any] = field(default_factory=list)
    met: list[Piece] = field(default_factory=list)
    """The pieces and patterns of a text that hold."""
    unmet: list[Piece] = field(default_factory=list)
    """Those that do not."""
    shortest: int = 0
    longest: float = math.inf
    present: bool | None = None
    torn: bool = False
    """Whether it had to be there and not to be there."""

    def copy(self) -> "Box":
        """Return one that can be narrowed by itself."""
        chosen = None if self.chosen is None else list(self.chosen)
        return replace(
            self,
            chosen=chosen,
            excluded=list(self.excluded),
            met=list(self.met),
            unmet=list(self.unmet),
        )

    def meet(self, other: "Box") -> "Box":
        """Return the values that are in both."""
        made = self.copy()
        made.be(other.kind)
        made.bound(low=other.low, is_open=other.low_open)
        made.bound(high=other.high, is_open=other.high_open)
        made.steps = (*made.steps, *other.steps)
        if other.chosen is not None:
            made.choose(other.chosen)
        made.excluded.extend(other.excluded)
        made.met.extend(other.met)
        made.unmet.extend(other.unmet)
        made.shortest = max(made.shortest, other.shortest)
        made.longest = min(made.longest, other.longest)
        if other.present is not None:
            made.test("present", None, holds=other.present)
        made.torn = made.torn or other.torn
        return made

    def be(self, kind: str) -> None:
        """Leave only values of a kind."""
        if {self.kind, kind} == {"number", "integer"}:
            self.kind = "integer"
        elif self.kind == "any":
            self.kind = kind
        elif kind not in {"any", self.kind}:
            self.choose(())

    def choose(self, values: Iterable[Any]) -> None:
        """Leave only these values."""
        known = list(values)
        if self.chosen is not None:
            listed = Listed(self.chosen)
            known = [value for value in known if value in listed]
        self.chosen = known

    def bound(self, *, low: float = -math.inf, high: float = math.inf, is_open: bool) -> None:
        """Leave only numbers within a bound."""
        if low > self.low or (low == self.low and is_open):
            self.low, self.low_open = low, is_open
        if high < self.high or (high == self.high and is_open):
            self.high, self.high_open = high, is_open

    def test(self, kind: str, operand: Any, *, holds: bool) -> None:
        """Leave only the values for which a test holds, or does not."""
        if kind != "present":
            self._narrow(kind, operand, holds=holds)
            holds = True
        self.torn = self.torn or (self.present is not None and self.present is not holds)
        self.present = holds

    def _narrow(self, kind: str, operand: Any, *, holds: bool) -> None:
        match kind:
            case "<" | "<=":
                bound = {"high": operand} if holds else {"low": operand}
                self.bound(**bound, is_open=holds is (kind == "<"))
            case "==" | "in":
                listed = [operand] if kind == "==" else list(operand)
                if holds:
                    self.choose(listed)
                else:
                    self.excluded.extend(listed)
            case "type":
                self._type(operand, holds=holds)
            case "multiple":
                self.steps = (*self.steps, operand) if holds else self.steps
            case "shortest" | "longest":
                self._length(kind, operand, holds=holds)
            case _:
                self._piece(kind, operand, holds=holds)

    def _length(self, kind: str, operand: int, *, holds: bool) -> None:
        if (kind == "shortest") is holds:
            self.shortest = max(self.shortest, operand if holds else operand + 1)
        else:
            self.longest = min(self.longest, operand if holds else operand - 1)

    def _type(self, kinds: tuple[str, ...], *, holds: bool) -> None:
        if holds and len(kinds) == 1:
            self.be(kinds[0])
        elif self.kind != "any":
            exact = self.kind in kinds or (self.kind == "integer" and "number" in kinds)
            maybe = self.kind == "number" and "integer" in kinds
            if exact is not holds and not (maybe and not exact):
                self.choose(())

    def _piece(self, kind: str, operand: str, *, holds: bool) -> None:
        (self.met if holds else self.unmet).append((kind, operand))
        if self.kind not in {"any", "string"}:
            self.choose(())
        if kind not in {"matches", "fits"}:
            return
        prefix, suffix, exact = edges(operand)
        if exact is not None:
            self.test("==", exact, holds=holds)
        elif holds:
            self.met.extend((("prefix", prefix),) if prefix else ())
            self.met.extend((("suffix", suffix),) if suffix else ())
        if holds:
            least, most = width(operand)
            self.shortest = max(self.shortest, least)
            self.longest = min(self.longest, most)

    def admits(self, value: Any) -> bool:
        """Whether a value passes every test; a pattern that cannot be tried passes."""
        if is_among(value, self.excluded):
            return False
        if self.chosen is not None and not is_among(value, self.chosen):
            return False
        return self._fits(value)

    def admitted(self, values: Iterable[Any]) -> Iterator[Any]:
        """Go through those of many values that `admits` admits."""
        excluded = Listed(self.excluded)
        chosen = None if self.chosen is None else Listed(self.chosen)
        for value in values:
            if value not in excluded and (chosen is None or value in chosen) and self._fits(value):
                yield value

    def _fits(self, value: Any) -> bool:
        """Whether a value passes the tests that are no lists."""
        if not is_kind(value, self.kind):
            return False
        if is_number(value):
            return self._within(value)
        if isinstance(value, str):
            return (
                self.shortest <= len(value) <= self.longest
                and all(passes(kind, text, value) is not False for kind, text in self.met)
                and all(passes(kind, text, value) is not True for kind, text in self.unmet)
            )
        return True

    def _within(self, value: float) -> bool:
        if self.kind == "integer" and value != math.floor(value):
            return False
        if any(not is_multiple(value, step) for step in self.steps):
            return False
        above = value > self.low or (value == self.low and not self.low_open)
        below = value < self.high or (value == self.high and not self.high_open)
        return above and below

    @property
    def is_number(self) -> bool:
        """Whether only numbers are left."""
        return self.kind in {"number", "integer"} or (self.low, self.high) != (-math.inf, math.inf)

    @property
    def is_empty(self) -> bool:
        """Whether certainly no value is left, and it is not left out either."""
        if self.torn or self.present is False:
            return self.torn
        if self.chosen is not None:
            return _is_bare(self.admitted(self.chosen))
        if self.kind == "bool":
            return is_among(True, self.excluded) and is_among(False, self.excluded)
        if self.kind == "null":
            return is_among(None, self.excluded)
        if self.kind in {"array", "object"}:
            return False
        return self._no_number() if self.is_number else self._no_text()

    def _no_number(self) -> bool:
        low, high = self.low, self.high
        numbers = self._multiples()
        if numbers is not None:
            few = _count(numbers) < len(self.excluded) + len(self.steps) + 8
            return not numbers or (few and _is_bare(self.admitted(self._made(numbers))))
        if low > high or (low == high and (self.low_open or self.high_open)):
            return True
        return low == high and not self.admits(low)

    def _step(self) -> Fraction | int | None:
        """Return what every number left is certainly a multiple of."""
        if not self.steps:
            return 1 if self.kind == "integer" else None
        exact = [Fraction(step) for step in self.steps]
        known = [step for step in exact if step.denominator <= _PARTS]
        if self.kind == "integer":
            known.append(Fraction(1))
        if not known:
            return None
        above = math.lcm(*(step.numerator for step in known))
        return Fraction(above, math.gcd(*(step.denominator for step in known)))

    def _multiples(self) -> range | None:
        """Return by what the step is multiplied to make each number that is within the bounds."""
        step = self._step()
        if step is None or not math.isfinite(self.low) or not math.isfinite(self.high):
            return None
        low, high = self.low, self.high
        if step != 1:
            low, high = Fraction(low) / step, Fraction(high) / step  # type: ignore[assignment]
        first = math.floor(low) + 1 if self.low_open else math.ceil(low)
        last = math.ceil(high) - 1 if self.high_open else math.floor(high)
        return range(first, last + 1)

    def _made(self, multiples: Iterable[int]) -> Iterator[float]:
        step = self._step() or 1
        if step == 1:
            yield from multiples
        else:
            yield from (number(step * n) for n in multiples)

    def listed(self, most: int) -> list[Any] | None:
        """Return every value that is left, where they are certainly few; None where not."""
        if self.chosen is not None:
            return list(islice(self.admitted(self.chosen), most + 1))
        if self.kind in {"bool", "null"}:
            return list(self.admitted([False, True] if self.kind == "bool" else [None]))
        if self.kind in {"number", "integer"}:
            numbers = self._multiples()
            few = numbers is not None and _count(numbers) <= most
            return list(self.admitted(self._made(numbers))) if numbers is not None and few else None
        return None

    @property
    def ends(self) -> tuple[float, bool, float, bool] | None:
        """A bound below every number and one above, each with whether it is none of them.

        None where no number is left.
        """
        if self.chosen is not None:
            numbers = [value for value in self.admitted(self.chosen) if is_number(value)]
            return (min(numbers), False, max(numbers), False) if numbers else None
        low, high = self.low, self.high
        if self.kind != "integer":
            return low, self.low_open, high, self.high_open
        excluded = Listed(self.excluded)
        if math.isfinite(low):
            low = math.floor(low) + 1 if self.low_open else math.ceil(low)
            while low in excluded:
                low += 1
        if math.isfinite(high):
            high = math.ceil(high) - 1 if self.high_open else math.floor(high)
            while high in excluded:
                high -= 1
        return low, False, high, False

    def _no_text(self) -> bool:
        pieces = {name: [t for kind, t in self.met if kind == name] for name in _KINDS}
        prefix = max(pieces["prefix"], key=len, default="")
        suffix = max(pieces["suffix"], key=len, default="")
        known = [prefix, suffix, *pieces["contains"]]
        if self.shortest > self.longest or max(map(len, known)) > self.longest:
            return True
        if not all(prefix.startswith(p) for p in pieces["prefix"]):
            return True
        if not all(suffix.endswith(s) for s in pieces["suffix"]):
            return True
        for kind, text in self.unmet:
            if kind == "prefix" and prefix.startswith(text):
                return True
            if kind == "suffix" and suffix.endswith(text):
                return True
            if kind == "contains" and any(text in piece for piece in known):
                return True
        return (self.longest == 0 and "" in self.excluded) or self._example() is None

    def _example(self) -> Any:
        """Return the shortest text that is left, as far as pieces and patterns tell."""
        if not any(kind in {"matches", "fits"} for kind, _ in (*self.met, *self.unmet)):
            return UNKNOWN
        unmet = {*self.unmet, *(("equals", t) for t in self.excluded if isinstance(t, str))}
        return example(frozenset(self.met), frozenset(unmet), self.shortest, self.longest)

    def candidates(self) -> Iterator[Any]:
        """Go through some values that are left, the plainest first."""
        if self.chosen is not None:
            tried: Iterable[Any] = self.chosen
        elif self.kind == "bool":
            tried = (True, False)
        elif self.kind == "null":
            tried = (None,)
        elif self.is_number:
            tried = self._numbers()
        else:
            tried = self._texts()
        yield from self.admitted(islice(tried, _MOST))

    def _numbers(self) -> Iterator[float]:
        low, high = self.low, self.high
        step = self._step()
        if step is not None and step != 1:
            start = math.ceil(low / step) if math.isfinite(low) else 0
            yield from self._made(range(start, start + 4))
            if math.isfinite(high):
                last = math.floor(high / step)
                yield from self._made(range(last, last - 4, -1))
        if math.isfinite(low) and math.isfinite(high):
            yield from (plain(n) for n in (high, low, (low + high) / 2, low + 1, high - 1))
        elif math.isfinite(low):
            yield from (plain(n) for n in (low, low + 1, low + 0.01, low * 2 + 10))
        elif math.isfinite(high):
            yield from (plain(n) for n in (high, high - 1, high - 0.01, high * 2 - 10))
        yield from (1, 0, 2, 10, -1)

    def _texts(self) -> Iterator[str]:
        pieces = {name: [t for kind, t in self.met if kind == name] for name in _KINDS}
        prefix = max(pieces["prefix"], key=len, default="")
        suffix = max(pieces["suffix"], key=len, default="")
        middle = "".join(pieces["contains"])
        for pattern in (*pieces["matches"], *pieces["fits"]):
            yield from sample(pattern)
            yield from (prefix + text + suffix for text in sample(pattern))
        found = self._example()
        if isinstance(found, str):
            yield found
        for base in ("x", "", "example", "a", "0", "X-1", "2026-01-05"):
            text = prefix + middle + base + suffix
            yield text
            if len(text) < self.shortest <= _LONG:
                filling = (base or "x") * (self.shortest - len(text) + 1)
                yield (prefix + middle + filling)[: max(0, self.shortest - len(suffix))] + suffix
            if len(text) > self.longest >= 0:
                yield text[: int(self.longest)]


_KINDS: Final = ("prefix", "suffix", "contains", "matches", "fits")
