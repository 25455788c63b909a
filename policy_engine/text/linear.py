"""The door to RE2's sets: many patterns in linear time, ready at once."""

import re2

from policy_engine.errors import CheckError

__all__ = ["LinearEngine", "scrub"]


def scrub(text: str) -> str:
    """Replace halves of surrogate pairs, which no engine takes, one character by one."""
    return "".join(["\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text])


class LinearEngine:
    """Finds patterns with RE2; ready at once."""

    __slots__ = ("_canary", "_ids", "_set")

    def __init__(self, patterns: tuple[tuple[int, str, bool], ...]) -> None:
        options = re2.Options()
        options.log_errors = False
        options.max_mem = (16 + len(patterns)) << 20
        self._set = re2.Set.SearchSet(options)
        self._ids = [number for number, _, _ in patterns]
        for _, expression, caseless in patterns:
            self._set.Add(f"(?i:{expression})" if caseless else expression)
        # A set that runs out of memory reports no match; one that always matches tells.
        self._canary = self._set.Add("")
        self._set.Compile()

    def scan(self, text: str) -> list[int]:
        """Return the ids of the patterns found."""
        try:
            data = text.encode()
        except UnicodeEncodeError:
            data = scrub(text).encode()
        found = self._set.Match(data)
        if not found or self._canary not in found:
            raise CheckError("the patterns could not be searched for")
        return [self._ids[index] for index in found if index != self._canary]
