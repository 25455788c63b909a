"""The patterns of every rule, each under an id."""

from typing import Final

import re2
import regex

from policy_engine.text.dialect import needs_backtracking, never_matches, to_backtracking
from policy_engine.text.scanner import Pattern, Scanner

__all__ = ["PatternError", "Patterns"]

_MAX_EXPRESSION: Final = 10_000
_MAX_PROGRAM: Final = 50_000
"""How many instructions a pattern may compile to."""

_PROBES: Final = ("", "a", " ", "\n", "a b", "-")
"""Texts in which a pattern that can match nothing does so."""

_LINEAR: Final = re2.Options()
_LINEAR.log_errors = False
_CASELESS: Final = re2.Options()
_CASELESS.log_errors = False
_CASELESS.case_sensitive = False


class PatternError(ValueError):
    """A pattern cannot be searched for."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message, offset)
        self.message = message
        """Lower-case, no final period."""
        self.offset = offset
        """The character at which the trouble begins, from 0; None where it is not known."""

    def __str__(self) -> str:
        return self.message


class Patterns:
    """Collects the patterns of every rule, so that one scan finds them all."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, bool], int] = {}
        self._patterns: list[Pattern] = []
        self._scanner: Scanner | None = None

    def __len__(self) -> int:
        return len(self._patterns)

    def add(self, expression: str, *, caseless: bool = False) -> int:
        r"""Add a pattern and return its id; the same pattern has the same id.

        Args:
            expression: A regular expression of RE2. `$` is the end of the text; `\b`, `\w` and
                `\d` are ASCII. Look-around and backreferences are taken, and run in a
                backtracking engine with a timeout.
            caseless: Whether case is ignored; the folded text is then searched too.

        Raises:
            PatternError: It does not compile, matches the empty text, or is too large.
        """
        key = (expression, caseless)
        if key not in self._ids:
            pattern = _compile(len(self._patterns), expression, caseless=caseless)
            self._ids[key] = pattern.id
            self._patterns.append(pattern)
            self._scanner = None
        return self._ids[key]

    def backtracks(self, pattern: int) -> bool:
        """Tell whether a pattern needs the engine that can be slow."""
        return self._patterns[pattern].backtracks

    def compile(self, *, warm: bool = True) -> Scanner:
        """Build the scanner of all patterns added so far.

        Args:
            warm: Whether to build the fast engine at once (about a millisecond a pattern) rather
                than when `Scanner.warm` is called. Both find the same.

        Raises:
            PatternError: The patterns are too large together.
        """
        try:
            scanner = Scanner(tuple(self._patterns))
        except re2.error as error:
            raise PatternError("the patterns are too large together") from error
        if warm:
            scanner.warm()
        self._scanner = scanner
        return scanner

    @property
    def scanner(self) -> Scanner:
        """The scanner of all patterns; built cold if nobody has compiled it."""
        return self._scanner or self.compile(warm=False)


def _compile(number: int, expression: str, *, caseless: bool) -> Pattern:
    if not expression:
        raise PatternError("an empty pattern matches everything", 0)
    if len(expression) > _MAX_EXPRESSION:
        raise PatternError(f"a pattern of {len(expression)} characters is too large")
    try:
        expression.encode()
    except UnicodeEncodeError as error:
        raise PatternError("a pattern holds half of a surrogate pair", error.start) from error
    backtracks = needs_backtracking(expression)
    if backtracks:
        compiled = _compile_backtracking(expression, caseless=caseless)
    else:
        compiled = _compile_linear(expression, caseless=caseless)
    for probe in _PROBES:
        found = compiled.search(probe)
        if found is not None and found.start() == found.end():
            raise PatternError("the pattern matches the empty text, so it matches everything")
    if never_matches(expression):
        raise PatternError(
            "it never matches: something stands behind the end or before the beginning"
        )
    return Pattern(number, expression, caseless, backtracks, compiled)


def _compile_linear(expression: str, *, caseless: bool) -> "re2._Regexp":
    try:
        compiled = re2.compile(expression, _CASELESS if caseless else _LINEAR)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        if "too large" in said:
            raise PatternError("the pattern is too large") from error
        blamed = said.rpartition(": ")[2]
        offset = expression.find(blamed) if blamed else -1
        raise PatternError(said, offset if offset >= 0 else None) from error
    if compiled.programsize > _MAX_PROGRAM:
        raise PatternError("the pattern is too large")
    return compiled


def _compile_backtracking(expression: str, *, caseless: bool) -> "regex.Pattern[str]":
    flags = regex.ASCII | regex.VERSION0 | (regex.IGNORECASE if caseless else 0)
    try:
        return regex.compile(to_backtracking(expression), flags)
    except regex.error as error:
        raise PatternError(str(error)) from error
