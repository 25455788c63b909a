"""Names and globs: `*` stands for any run of characters, `?` for one, over the whole name."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

__all__ = [
    "NameIndex",
    "NameTable",
    "covers_glob",
    "globs_overlap",
    "is_glob",
    "matches_glob",
    "matching",
]


def is_glob(name: str) -> bool:
    """Tell whether a name may match more than itself."""
    return "*" in name or "?" in name


def matches_glob(glob: str, name: str) -> bool:
    """Tell whether a glob matches a name, case-sensitively and as a whole."""
    return glob == name or (is_glob(glob) and _pattern(glob).fullmatch(name) is not None)


def matching(glob: str, names: Iterable[str]) -> list[str]:
    """Return the names that a glob matches."""
    if not is_glob(glob):
        return [name for name in names if name == glob]
    fits = _pattern(glob).fullmatch
    return [name for name in names if fits(name)]


def globs_overlap(a: str, b: str) -> bool:
    """Tell whether some name matches both globs."""
    if not is_glob(a):
        return matches_glob(b, a)
    if not is_glob(b):
        return matches_glob(a, b)
    # Row i says, for every j, whether the rest of `a` from i and of `b` from j have a name in
    # common; rows are filled from the end.
    below = [False] * len(b) + [True]
    for j in range(len(b) - 1, -1, -1):
        below[j] = b[j] == "*" and below[j + 1]
    for left in reversed(a):
        row = [False] * len(b) + [left == "*" and below[-1]]
        for j in range(len(b) - 1, -1, -1):
            right = b[j]
            if left == "*" or right == "*":
                row[j] = below[j] or row[j + 1]
            else:
                row[j] = below[j + 1] and (left == right or "?" in {left, right})
        below = row
    return below[0]


def covers_glob(wide: str, narrow: str) -> bool:
    """Tell whether a glob surely matches all that another one matches."""
    # Row i says, for every j, whether the rest of `narrow` from i lies within that of `wide`
    # from j: a star lies within a star only, any other sign also within a question mark.
    stars = [False] * len(wide) + [True]
    for j in range(len(wide) - 1, -1, -1):
        stars[j] = wide[j] == "*" and stars[j + 1]
    below = stars
    for sign in reversed(narrow):
        row = [False] * (len(wide) + 1)
        for j in range(len(wide) - 1, -1, -1):
            if wide[j] == "*":
                row[j] = below[j] or row[j + 1]
            else:
                row[j] = below[j + 1] and sign != "*" and wide[j] in {"?", sign}
        below = row
    return below[0]


class NameIndex:
    """Names and globs, kept so that an exact name is looked up and not compared with each."""

    __slots__ = ("_exact", "_globs")

    def __init__(self, names: Iterable[str]) -> None:
        self._exact: dict[str, None] = {}
        self._globs: dict[str, None] = {}
        for name in names:
            (self._globs if is_glob(name) else self._exact)[name] = None

    def __iter__(self) -> Iterator[str]:
        yield from self._exact
        yield from self._globs

    def matches(self, name: str) -> bool:
        """Tell whether one of the names or globs matches an exact name."""
        return name in self._exact or any(matches_glob(glob, name) for glob in self._globs)

    def overlapping(self, glob: str) -> Iterator[str]:
        """Go through those that some name matches together with a name or glob."""
        if is_glob(glob):
            yield from (name for name in self if globs_overlap(name, glob))
        else:
            if glob in self._exact:
                yield glob
            yield from (other for other in self._globs if matches_glob(other, glob))


class NameTable:
    """Lists of names and globs, found by a name that one of theirs matches."""

    __slots__ = ("_exact", "_globs")

    def __init__(self, lists: Iterable[Iterable[str]]) -> None:
        self._exact: dict[str, list[int]] = {}
        self._globs: list[tuple[str, int]] = []
        for position, names in enumerate(lists):
            for name in names:
                if is_glob(name):
                    self._globs.append((name, position))
                else:
                    self._exact.setdefault(name, []).append(position)

    def of(self, name: str) -> list[int]:
        """Return the positions of the lists that match an exact name, in their order."""
        found = set(self._exact.get(name, ()))
        found.update(position for glob, position in self._globs if matches_glob(glob, name))
        return sorted(found)


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    """Compile a glob.

    Each run between two stars is taken at its first place and never given back, which loses no
    match and keeps the time within the product of the two lengths.
    """
    first, *runs = (_run(run) for run in re.split(r"\*+", glob))
    if not runs:
        return re.compile(first, re.DOTALL)
    *between, last = runs
    middle = "".join(f"(?>.*?{run})" for run in between)
    return re.compile(f"{first}{middle}.*{last}", re.DOTALL)


def _run(text: str) -> str:
    return "".join("." if character == "?" else re.escape(character) for character in text)
