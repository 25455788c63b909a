"""The door to Hyperscan: all patterns in one pass, at a gigabyte a second.

Blocks only, never streams. A scratch serves one scan at a time, so each thread has its own.
"""

import threading
from typing import Final

import hyperscan

from policy_engine.errors import CheckError
from policy_engine.text.dialect import to_automaton
from policy_engine.text.linear import LinearEngine, scrub

__all__ = ["AutomatonEngine"]

_ONCE: Final = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SINGLEMATCH

Written = tuple[int, str, bool]
"""An id, an expression, whether case is ignored."""


class AutomatonEngine:
    """Finds patterns with Hyperscan, and with RE2 those that Hyperscan does not take."""

    __slots__ = ("_local", "_rest", "_scan", "_scratch")

    def __init__(self, patterns: tuple[Written, ...]) -> None:
        taken, rest = [], []
        for number, expression, caseless in patterns:
            rewritten = to_automaton(expression, caseless=caseless)
            if rewritten is None:
                rest.append((number, expression, caseless))
            else:
                taken.append((number, expression, caseless, rewritten))
        database, refused = _build(taken)
        rest.extend(refused)
        self._rest = LinearEngine(tuple(rest)) if rest else None
        self._scan = database.scan
        self._scratch = hyperscan.Scratch(database)
        self._local = threading.local()

    def scan(self, text: str) -> list[int]:
        """Return the ids of the patterns found."""
        found: list[int] = []
        try:
            data = text.encode()
        except UnicodeEncodeError:
            data = scrub(text).encode()
        try:
            scratch = self._local.scratch
        except AttributeError:
            scratch = self._local.scratch = self._scratch.clone()
        try:
            # By position: the library takes twice as long to read names.
            self._scan(data, _note, 0, found, scratch)
        except hyperscan.ScratchInUseError:
            # Code that the interpreter ran inside a scan scans too (a finaliser, a signal).
            self._scan(data, _note, 0, found, self._scratch.clone())
        except hyperscan.error as error:
            raise CheckError("the patterns could not be searched for") from error
        if self._rest is not None:
            found += self._rest.scan(text)
        return found


def _note(number: int, _start: int, _end: int, _flags: int, found: object) -> None:
    found.append(number - 1)  # type: ignore[attr-defined]


def _build(
    taken: list[tuple[int, str, bool, str]],
) -> tuple[hyperscan.Database, list[Written]]:
    """Build one database, leaving out what it refuses."""
    try:
        return _database(taken), []
    except hyperscan.error:
        kept, refused = [], []
        for one in taken:
            try:
                _database([one])
            except hyperscan.error:
                refused.append(one[:3])
            else:
                kept.append(one)
        try:
            return _database(kept), refused
        except hyperscan.error:  # each alone, but not all together
            return _database(kept[:1]), [*refused, *(one[:3] for one in kept[1:])]


def _database(taken: list[tuple[int, str, bool, str]]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[rewritten.encode() for _, _, _, rewritten in taken],
        # Ids there are unsigned; `CONTROLS` is not.
        ids=[number + 1 for number, _, _, _ in taken],
        elements=len(taken),
        flags=[_ONCE | (hyperscan.HS_FLAG_CASELESS if c else 0) for _, _, c, _ in taken],
    )
    return database
