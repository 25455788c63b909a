"""What a value may be: an interval, a finite set, or the pieces of a text.

Everything here errs to the side of "it may be": a set of values that is called empty is empty, so
that what is proved with it holds.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from policy_engine.lint.proof.regexes import edges, sample, search

__all__ = ["Values", "same"]

_MOST: Final = 64
"""So many candidates are tried."""
_LONG: Final = 20_000
"""A longer text is not made up."""


def same(a: object, b: object) -> bool:
    """Whether two values are equal as expressions compare them: true is not 1."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _among(value: object, values: Iterable[object]) -> bool:
    return any(same(value, other) for other in values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(slots=True)
class Values:
    """The values that are left after some tests."""

    kind: str = "any"
    """`number`, `integer`, `string`, `bool` or `any`."""
    low: float = -math.inf
    low_open: bool = False
    high: float = math.inf
    high_open: bool = False
    chosen: list[Any] | None = None
    """All that it may be, where that is a list."""
    excluded: list[Any] = field(default_factory=list)
    met: list[tuple[str, str]] = field(default_factory=list)
    """(prefix | suffix | contains | matches, text) that hold."""
    unmet: list[tuple[str, str]] = field(default_factory=list)
    """Those that do not."""
    shortest: int = 0
    longest: float = math.inf
    present: bool | None = None

    def choose(self, values: Iterable[Any]) -> None:
        """Leave only these values."""
        known = list(values)
        if self.chosen is not None:
            known = [value for value in known if _among(value, self.chosen)]
        self.chosen = known

    def bound(self, *, low: float = -math.inf, high: float = math.inf, is_open: bool) -> None:
        """Leave only numbers within a bound."""
        if low > self.low or (low == self.low and is_open):
            self.low, self.low_open = low, is_open
        if high < self.high or (high == self.high and is_open):
            self.high, self.high_open = high, is_open

    def test(self, kind: str, operand: Any, *, holds: bool) -> None:
        """Leave only the values for which a test holds, or does not."""
        match kind:
            case "present":
                if self.present is not None and self.present is not holds:
                    self.choose(())
                self.present = holds
                return
            case "<":
                self.bound(**({"high": operand} if holds else {"low": operand}), is_open=holds)
            case "<=":
                self.bound(**({"high": operand} if holds else {"low": operand}), is_open=not holds)
            case "==" | "in":
                listed = [operand] if kind == "==" else list(operand)
                if holds:
                    self.choose(listed)
                else:
                    self.excluded.extend(listed)
            case _:
                (self.met if holds else self.unmet).append((kind, operand))
                if kind == "matches":
                    self._edges(operand, holds=holds)
        self.test("present", None, holds=True)

    def _edges(self, pattern: str, *, holds: bool) -> None:
        prefix, suffix, exact = edges(pattern)
        if exact is not None:
            self.test("==", exact, holds=holds)
        elif holds:
            self.met.extend((("prefix", prefix),) if prefix else ())
            self.met.extend((("suffix", suffix),) if suffix else ())

    def admits(self, value: Any) -> bool:
        """Whether a value passes every test; a pattern that cannot be tried passes."""
        if _among(value, self.excluded):
            return False
        if self.chosen is not None and not _among(value, self.chosen):
            return False
        if _is_number(value):
            return self._within(value)
        if isinstance(value, str):
            return (
                self.shortest <= len(value) <= self.longest
                and all(_holds(kind, text, value) is not False for kind, text in self.met)
                and all(_holds(kind, text, value) is not True for kind, text in self.unmet)
            )
        return True

    def _within(self, value: float) -> bool:
        if self.kind == "integer" and value != math.floor(value):
            return False
        above = value > self.low or (value == self.low and not self.low_open)
        below = value < self.high or (value == self.high and not self.high_open)
        return above and below

    @property
    def is_empty(self) -> bool:
        """Whether certainly no value is left."""
        if self.chosen is not None:
            return self.present is not False and not any(map(self.admits, self.chosen))
        if self.kind == "bool":
            return _among(True, self.excluded) and _among(False, self.excluded)
        if self.kind in {"number", "integer"} or (self.low, self.high) != (-math.inf, math.inf):
            return self._no_number()
        return self._no_text()

    def _no_number(self) -> bool:
        low, high = self.low, self.high
        if self.kind == "integer" and math.isfinite(low) and math.isfinite(high):
            first = math.floor(low) + 1 if self.low_open else math.ceil(low)
            last = math.ceil(high) - 1 if self.high_open else math.floor(high)
            few = last - first < len(self.excluded)
            return first > last or (few and not any(map(self.admits, range(first, last + 1))))
        if low > high or (low == high and (self.low_open or self.high_open)):
            return True
        return low == high and _among(low, self.excluded)

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
            if kind == "matches" and text in pieces["matches"]:
                return True
        return self.longest == 0 and "" in self.excluded

    def candidates(self) -> Iterator[Any]:
        """Go through some values that are left, the plainest first."""
        if self.chosen is not None:
            tried: Iterable[Any] = self.chosen
        elif self.kind == "bool":
            tried = (True, False)
        elif self.kind in {"number", "integer"} or (self.low, self.high) != (-math.inf, math.inf):
            tried = self._numbers()
        else:
            tried = self._texts()
        for index, value in enumerate(tried):
            if index >= _MOST:
                return
            if self.admits(value):
                yield value

    def _numbers(self) -> Iterator[float]:
        low, high = self.low, self.high
        if math.isfinite(low) and math.isfinite(high):
            yield from (_plain(n) for n in (high, low, (low + high) / 2, low + 1, high - 1))
        elif math.isfinite(low):
            yield from (_plain(n) for n in (low, low + 1, low + 0.01, low * 2 + 10))
        elif math.isfinite(high):
            yield from (_plain(n) for n in (high, high - 1, high - 0.01, high * 2 - 10))
        yield from (1, 0, 2, 10, -1)

    def _texts(self) -> Iterator[str]:
        pieces = {name: [t for kind, t in self.met if kind == name] for name in _KINDS}
        prefix = max(pieces["prefix"], key=len, default="")
        suffix = max(pieces["suffix"], key=len, default="")
        middle = "".join(pieces["contains"])
        for pattern in pieces["matches"]:
            yield from sample(pattern)
            yield from (prefix + text + suffix for text in sample(pattern))
        for base in ("x", "", "example", "a", "0", "X-1", "2026-01-05"):
            text = prefix + middle + base + suffix
            yield text
            if len(text) < self.shortest <= _LONG:
                filling = (base or "x") * (self.shortest - len(text) + 1)
                yield (prefix + middle + filling)[: max(0, self.shortest - len(suffix))] + suffix
            if len(text) > self.longest >= 0:
                yield text[: int(self.longest)]


_KINDS: Final = ("prefix", "suffix", "contains", "matches")


def _plain(number: float) -> float:
    """Return a number as people write it."""
    if number == math.floor(number) and abs(number) < 1e15:
        return int(number)
    return round(number, 6)


def _holds(kind: str, text: str, value: str) -> bool | None:
    match kind:
        case "prefix":
            return value.startswith(text)
        case "suffix":
            return value.endswith(text)
        case "contains":
            return text in value
    return search(text, value)
