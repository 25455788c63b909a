"""A pattern as an automaton that searches a text for it."""

import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from policy_engine.lint.proof.letters import (
    ANY,
    DIGITS,
    ECMA_SPACE,
    SPACE,
    WORD,
    Letters,
    complement,
    folded,
    is_in,
    letters_of,
    union,
)
from policy_engine.lint.proof.regexes import ODD, reader

__all__ = ["Machine", "State", "UnsayableError", "machine"]

State: TypeAlias = int
"""The number of a state: the places that the automaton may be in, and what stands before."""
_Places: TypeAlias = tuple[frozenset[int], str]
"""Places, and what stands before: start, word or other."""

_MOST: Final = 800
"""A pattern with more places is not looked at."""
_NOT: Final = "CATEGORY_NOT_"
_IGNORECASE: Final = 2
_MULTILINE: Final = 8
_DOTALL: Final = 16
_VERBOSE: Final = 64
_NEWLINE: Final[Letters] = ((0x0A, 0x0A),)
_PLACES: Final = {
    "AT_BEGINNING": "start",
    "AT_BEGINNING_STRING": "start",
    "AT_END": "end",
    "AT_END_STRING": "end",
    "AT_BOUNDARY": "edge",
}
"""Where a text is -> the step that is allowed there. Not the opposite of an edge of a word: RE2
finds it between the bytes of one character too, which no automaton over characters can say."""


class UnsayableError(Exception):
    """A pattern says what no such automaton can, or not for every engine alike."""


class Machine:
    """An automaton; the states that it is in at once are found as they are needed."""

    def __init__(self) -> None:
        self.steps: list[list[tuple[Letters, int]]] = [[], []]
        """From each place: with these characters, to that place."""
        self.free: list[list[tuple[str, int]]] = [[], []]
        """From each place: without a character, where the text allows it, to that place."""
        self.steps[0].append((ANY, 0))
        self.steps[1].append((ANY, 1))
        self.start: State = 0
        self._states: list[_Places] = [(frozenset({0}), "start")]
        self._numbers: dict[_Places, State] = {self._states[0]: self.start}
        self._moves: list[dict[str, State]] = [{}]
        self._onward: dict[tuple[State, str], list[tuple[Letters, int]]] = {}
        self._ends: dict[State, bool] = {}
        self.settled: list[bool | None] = [None]
        """State -> what the pattern says of every text that goes on from it, if it is one thing."""
        self._alive: frozenset[int] | None = None
        self._asks_words = False

    def place(self) -> int:
        """Make a place."""
        if len(self.steps) >= _MOST:
            raise UnsayableError
        self.steps.append([])
        self.free.append([])
        return len(self.steps) - 1

    def join(self, start: int, end: int, where: str = "") -> None:
        """Lead from a place to another, where the text allows it."""
        self._asks_words |= where == "edge"
        self.free[start].append((where, end))

    def letters(self) -> Iterator[Letters]:
        """Go through the sets of characters that matter."""
        if self._asks_words:
            yield WORD
        for steps in self.steps:
            for letters, _ in steps:
                yield letters

    def move(self, state: State, letter: str) -> State:
        """Return where a character leads."""
        found = self._moves[state].get(letter)
        if found is None:
            code = ord(letter)
            kind = "word" if is_in(code, WORD) else "other"
            further = frozenset(
                end for letters, end in self._steps(state, kind) if is_in(code, letters)
            )
            if 1 in further:
                further = frozenset({1})  # once it was found, nothing else matters
            before = kind if self._asks_words else "other"
            found = self._moves[state][letter] = self._number((further, before))
        return found

    def _number(self, places: _Places) -> State:
        found = self._numbers.get(places)
        if found is None:
            found = self._numbers[places] = len(self._states)
            self._states.append(places)
            self._moves.append({})
            is_found = 1 in places[0]
            self.settled.append(True if is_found else None if places[0] else False)
        return found

    def _steps(self, state: State, kind: str) -> list[tuple[Letters, int]]:
        """Return the steps from a state, before a word or not, from which it can be found."""
        found = self._onward.get((state, kind))
        if found is None:
            alive = self._living()
            places = self._reached(state, kind)
            every = (step for at in places for step in self.steps[at] if step[1] in alive)
            found = self._onward[state, kind] = list(dict.fromkeys(every))
        return found

    def accepts(self, state: State) -> bool:
        """Whether the pattern is found in a text that ends here."""
        found = self._ends.get(state)
        if found is None:
            found = self._ends[state] = 1 in self._reached(state, "end")
        return found

    def _living(self) -> frozenset[int]:
        """Return the places from which it can still be found, once the text has begun."""
        if self._alive is None:
            before: list[set[int]] = [set() for _ in self.steps]
            for at, (steps, free) in enumerate(zip(self.steps, self.free, strict=True)):
                for end in [
                    *(end for _, end in steps),
                    *(e for where, e in free if where != "start"),
                ]:
                    before[end].add(at)
            alive, waiting = {1}, [1]
            while waiting:
                new = before[waiting.pop()] - alive
                alive |= new
                waiting.extend(new)
            self._alive = frozenset(alive)
        return self._alive

    def _reached(self, state: State, after: str) -> set[int]:
        """Return the places that are reached without a character."""
        places, before = self._states[state]
        reached = set(places)
        waiting = list(places)
        edge = (before == "word") is not (after == "word")
        allowed = {"": True, "start": before == "start", "end": after == "end"}
        allowed["edge"] = edge
        while waiting:
            for where, end in self.free[waiting.pop()]:
                if allowed[where] and end not in reached:
                    reached.add(end)
                    waiting.append(end)
        return reached


@lru_cache(maxsize=2048)
def machine(piece: tuple[str, str]) -> Machine:
    """Return the automaton of a piece of a text, or of a pattern.

    Raises:
        UnsayableError: There is none.
    """
    kind, text = piece
    made = Machine()
    if kind in {"matches", "fits"}:
        _Builder(made, is_schema=kind == "fits").pattern(text)
        return made
    at = made.place()
    made.join(0, at, "start" if kind in {"prefix", "equals"} else "")
    for char in text:
        further = made.place()
        made.steps[at].append((((ord(char), ord(char)),), further))
        at = further
    made.join(at, 1, "end" if kind in {"suffix", "equals"} else "")
    return made


class _Builder:
    """Writes a pattern into an automaton."""

    def __init__(self, made: Machine, *, is_schema: bool) -> None:
        self.made = made
        self.is_schema = is_schema

    def pattern(self, text: str) -> None:
        """Lead from the first place to the last through a pattern."""
        if any(sign in text for sign in ODD):
            raise UnsayableError
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # what a later Python reads otherwise
                tree = reader.parse(text)
        except (reader.error, RecursionError, OverflowError, Warning):
            raise UnsayableError from None
        try:
            start = self.made.place()
            self.made.join(0, start)
            end = self._sequence(list(tree), start, tree.state.flags)
        except RecursionError:
            raise UnsayableError from None
        self.made.join(end, 1)

    def _sequence(self, tree: Sequence[tuple[Any, Any]], at: int, flags: int) -> int:
        for name, value in tree:
            at = self._one(str(name), value, at, flags)
        return at

    def _one(self, name: str, value: Any, at: int, flags: int) -> int:
        if flags & (_MULTILINE | _VERBOSE):
            raise UnsayableError
        match name:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                end = self.made.place()
                self.made.steps[at].append((self._letters(name, value, flags), end))
                return end
            case "SUBPATTERN":
                _, added, removed, inner = value
                return self._sequence(list(inner), at, (flags | added) & ~removed)
            case "BRANCH":
                end = self.made.place()
                for branch in value[1]:
                    start = self.made.place()
                    self.made.join(at, start)
                    self.made.join(self._sequence(list(branch), start, flags), end)
                return end
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._repeated(value, at, flags)
            case "AT":
                return self._at(str(value), at)
        raise UnsayableError

    def _at(self, value: str, at: int) -> int:
        where = _PLACES.get(value)
        if where is None or (self.is_schema and where == "edge"):
            raise UnsayableError
        end = self.made.place()
        self.made.join(at, end, where)
        return end

    def _repeated(self, value: Any, at: int, flags: int) -> int:
        low, high, inner = value
        tree = list(inner)
        for _ in range(int(low)):
            at = self._sequence(tree, at, flags)
        end = self.made.place()
        self.made.join(at, end)
        if str(high) == "MAXREPEAT":
            start = self.made.place()
            self.made.join(at, start)
            self.made.join(self._sequence(tree, start, flags), start)
            self.made.join(start, end)
            return end
        for _ in range(int(high) - int(low)):
            at = self._sequence(tree, at, flags)
            self.made.join(at, end)
        return end

    def _letters(self, name: str, value: Any, flags: int) -> Letters:
        if name == "ANY":
            return ANY if flags & _DOTALL else complement(_NEWLINE)
        is_negated = name == "NOT_LITERAL"
        if name == "IN":
            items = [(str(kind), inner) for kind, inner in value]
            is_negated = items[0][0] == "NEGATE"
            letters = union(*(self._item(*one) for one in items[1 if is_negated else 0 :]))
        else:
            letters = letters_of([(value, value)])
        if flags & _IGNORECASE:
            both = folded(letters)
            if both is None:
                raise UnsayableError
            letters = both
        return complement(letters) if is_negated else letters

    def _item(self, kind: str, value: Any) -> Letters:
        match kind:
            case "LITERAL":
                return letters_of([(value, value)])
            case "RANGE":
                return letters_of([value])
            case "CATEGORY":
                name = str(value)
                known = {
                    "DIGIT": DIGITS,
                    "WORD": WORD,
                    "SPACE": ECMA_SPACE if self.is_schema else SPACE,
                }[name.removeprefix(_NOT).removeprefix("CATEGORY_")]
                return complement(known) if name.startswith(_NOT) else known
        raise UnsayableError
