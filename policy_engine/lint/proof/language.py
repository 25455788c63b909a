r"""Texts that some patterns match and others do not: whether there are any, and the shortest.

Theory of operation. Each pattern becomes a non-deterministic automaton that searches: it waits in
front of the match for any text, and behind it. `^`, `$` and `\b` are steps that only some places
of a text allow. All automata are walked together, breadth first, over classes of characters that
none of them tells apart; what is met first is the shortest text. What a pattern cannot say in this
way (back-references, look-around, classes that engines read differently) is unknown, and so is
what would take too long: nothing is called empty that is not.
"""

from collections import deque
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, TypeAlias

from policy_engine.lint.proof.letters import representatives
from policy_engine.lint.proof.machine import Machine, UnsayableError, machine

__all__ = ["UNKNOWN", "Piece", "covers", "example"]

Piece: TypeAlias = tuple[str, str]
"""(`prefix` | `suffix` | `contains` | `equals` | `matches` | `fits`, text): `fits` is a pattern of
a JSON Schema, `matches` one of a condition or a check."""

UNKNOWN: Final = object()
"""It cannot be told whether there is such a text."""

_MOST: Final = 4_000
"""So many places are looked at."""
_LONG: Final = 64
"""A text that must be longer is not looked for."""


@lru_cache(maxsize=4096)
def example(
    met: frozenset[Piece], unmet: frozenset[Piece], shortest: int = 0, longest: float = float("inf")
) -> Any:
    """Return the shortest text that meets some pieces and not others.

    Args:
        met: What the text has, or matches.
        unmet: What it has not.
        shortest: How long it is at least.
        longest: How long it is at most.

    Returns:
        The text; None where there certainly is none; `UNKNOWN`.
    """
    known: list[Machine] = []
    wanted: list[bool] = []
    is_whole = shortest <= _LONG
    for pieces, holds in ((met, True), (unmet, False)):
        for piece in sorted(pieces):
            try:
                known.append(machine(piece))
                wanted.append(holds)
            except UnsayableError:
                is_whole = False  # what is left out only makes more texts possible
    found = _walk(known, wanted, min(shortest, _LONG), longest)
    if found is None and _may_be_torn(met, unmet, longest):
        return UNKNOWN
    return found if found is None or is_whole else UNKNOWN


def _may_be_torn(met: frozenset[Piece], unmet: frozenset[Piece], longest: float) -> bool:
    """Whether half of a surrogate pair may break a pattern of a schema, which finds no such text.

    A text that fits another pattern, matches one or is known holds no such half.
    """
    whole = {"fits", "matches", "equals"}
    if longest < 1 or any(kind in whole for kind, _ in met):
        return False
    return any(kind == "fits" for kind, _ in unmet)


def covers(wide: Piece, narrow: Piece) -> bool:
    """Whether every text with one piece certainly has another."""
    if wide == narrow:
        return True
    # Of most pairs the shortest text with the one shows that it does not.
    text = example(frozenset({narrow}), frozenset())
    if isinstance(text, str) and _has(wide, text) is False:
        return False
    return example(frozenset({narrow}), frozenset({wide})) is None


def _has(piece: Piece, text: str) -> bool | None:
    """Whether a text has a piece; None where that cannot be told."""
    try:
        one = machine(piece)
    except UnsayableError:
        return None
    state = one.start
    for letter in text:
        state = one.move(state, letter)
    return bool(one.accepts(state))


def _walk(known: list[Machine], wanted: list[bool], shortest: int, longest: float) -> Any:
    letters = representatives(letters for one in known for letters in one.letters())
    start = (tuple(one.start for one in known), 0)
    seen = {start}
    waiting: deque[tuple[Any, str]] = deque([(start, "")])
    moves = [one.move for one in known]
    lost = [(one.settled, not holds) for one, holds in zip(known, wanted, strict=True)]
    while waiting:
        (states, count), text = waiting.popleft()
        if count >= shortest and _ends(known, wanted, states):
            return text
        if len(text) >= longest:
            continue
        further = min(count + 1, shortest)
        for letter in letters:
            # The commonest line of all proofs, so there is no function of ours round it.
            reached = tuple([move(at, letter) for move, at in zip(moves, states, strict=False)])
            place = (reached, further)
            if place in seen or any(
                says[at] is bad for (says, bad), at in zip(lost, reached, strict=False)
            ):
                continue
            if len(seen) >= _MOST:
                return UNKNOWN
            seen.add(place)
            waiting.append((place, text + letter))
    return None


def _ends(known: list[Machine], wanted: list[bool], states: Iterable[Any]) -> bool:
    return all(
        one.accepts(state) is holds for one, holds, state in zip(known, wanted, states, strict=True)
    )
