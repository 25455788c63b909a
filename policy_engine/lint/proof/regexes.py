"""Regular expressions, read: their literal ends, and texts that they match."""

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import re2

__all__ = [
    "ODD",
    "edges",
    "is_anchored",
    "parsed",
    "reader",
    "sample",
    "search",
    "top_branches",
    "width",
]

_MAX: Final = 2_000
_LONG: Final = 4_000
"""A longer text is not made up; what is cut off does not match and is left out."""
ODD: Final = ("[:", "{,", "\\Q", "\\C", "[]", "[^]")
"""What engines read in different ways."""
_OTHERWISE: Final = int(re.MULTILINE | re.VERBOSE | re.LOCALE)
_DEEP: Final = 200
reader: Any = re._parser  # type: ignore[attr-defined]  # noqa: SLF001
"""The standard library's reader of patterns."""
_CLASSES: Final = {"CATEGORY_DIGIT": "1", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " "}
_NOT_CLASSES: Final = {
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": "a",
}
_WORDS: Final = "axAX01 -_.@/#:+é"


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        return None


def search(pattern: str, text: str) -> bool | None:
    """Whether a pattern occurs in a text; None where that cannot be told."""
    compiled = _compiled(pattern)
    if compiled is None:
        return None
    try:
        return compiled.search(text) is not None
    except UnicodeEncodeError:
        return None


@lru_cache(maxsize=1024)
def parsed(pattern: str) -> Sequence[tuple[Any, Any]] | None:
    """Return a pattern as the standard library reads it; None where it does not."""
    if len(pattern) > _MAX:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a later Python will read otherwise
            return tuple(reader.parse(pattern))
    except (re.error, RecursionError, OverflowError):
        return None


@lru_cache(maxsize=1024)
def _alike(pattern: str) -> Sequence[tuple[Any, Any]] | None:
    """Return a pattern that every engine reads alike, as the standard library reads it.

    Those that judge at run time have classes by name, and lines by a flag, of which the reader
    knows nothing or something else.
    """
    if len(pattern) > _MAX or any(sign in pattern for sign in ODD):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what a later Python reads otherwise
            tree = reader.parse(pattern)
        is_odd = tree.state.flags & _OTHERWISE or _adds(tuple(tree), 0)
    except (re.error, RecursionError, OverflowError, Warning):
        return None
    return None if is_odd else tuple(tree)


def _adds(tree: Sequence[tuple[Any, Any]], depth: int) -> bool:
    """Whether a group changes flags that say what a sign stands for."""
    if depth > _DEEP:
        raise RecursionError
    for name, value in tree:
        match str(name):
            case "SUBPATTERN":
                if value[1] & _OTHERWISE or _adds(tuple(value[3]), depth + 1):
                    return True
            case "BRANCH":
                if any(_adds(tuple(branch), depth + 1) for branch in value[1]):
                    return True
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                if _adds(tuple(value[2]), depth + 1):
                    return True
    return False


@lru_cache(maxsize=1024)
def width(pattern: str) -> tuple[int, float]:
    """Return how long a text is that a pattern matches, at least and at most."""
    branches = top_branches(pattern)
    if not branches:
        return 0, math.inf
    low, high = reader.parse(pattern).getwidth()
    ends = (is_anchored(branch, start=start) for branch in branches for start in (True, False))
    is_whole = all(ends) and "|" not in pattern and high < _ENDLESS
    return int(low), int(high) if is_whole else math.inf


_ENDLESS: Final = 2**32 - 1


def top_branches(pattern: str) -> list[Sequence[tuple[Any, Any]]]:
    """Return the alternatives of a pattern; those of one group round all of it count too."""
    tree = _alike(pattern)
    if tree is None:
        return []
    if len(tree) == 1 and str(tree[0][0]) == "SUBPATTERN":
        inner = tuple(tree[0][1][3])
        if len(inner) == 1 and str(inner[0][0]) == "BRANCH":
            return [tuple(branch) for branch in inner[0][1][1]]
    if len(tree) == 1 and str(tree[0][0]) == "BRANCH":
        return [tuple(branch) for branch in tree[0][1][1]]
    return [tree]


def is_anchored(tree: Sequence[tuple[Any, Any]], *, start: bool) -> bool:
    """Whether what an alternative matches begins, or ends, where the text does."""
    if not tree:
        return False
    name, value = tree[0 if start else -1]
    match str(name):
        case "AT":
            wanted = (
                {"AT_BEGINNING", "AT_BEGINNING_STRING"} if start else {"AT_END", "AT_END_STRING"}
            )
            return str(value) in wanted
        case "SUBPATTERN":
            return is_anchored(tuple(value[3]), start=start)
        case "BRANCH":
            return all(is_anchored(tuple(branch), start=start) for branch in value[1])
        case "MAX_REPEAT" | "MIN_REPEAT":
            # `^.*` reaches the end whatever stands there.
            return _is_everything(value)
    return False


def _is_everything(value: Any) -> bool:
    low, high, inner = value
    item = tuple(inner)
    return low == 0 and str(high) == "MAXREPEAT" and len(item) == 1 and str(item[0][0]) == "ANY"


@lru_cache(maxsize=1024)
def edges(pattern: str) -> tuple[str, str, str | None]:
    """Return the literal text that every match starts and ends with, and the only one there is."""
    tree = _alike(pattern)
    if tree is None or "(?" in pattern.replace("(?:", ""):
        return "", "", None
    items = [(str(name), value) for name, value in tree]
    prefix = suffix = ""
    starts = bool(items) and items[0][0] == "AT" and is_anchored(tree, start=True)
    ends = bool(items) and items[-1][0] == "AT" and is_anchored(tree, start=False)
    inner = items[1 if starts else 0 : len(items) - 1 if ends else len(items)]
    if starts:
        prefix = "".join(_literals(inner))
    if ends:
        suffix = "".join(reversed(list(_literals(inner[::-1]))))
    whole = starts and ends and all(name == "LITERAL" for name, _ in inner)
    return prefix, suffix, prefix if whole else None


def _literals(items: Sequence[tuple[str, Any]]) -> Iterator[str]:
    for name, value in items:
        if name != "LITERAL":
            return
        yield chr(value)


@lru_cache(maxsize=1024)
def sample(pattern: str) -> tuple[str, ...]:
    """Return a few texts that a pattern probably matches; those that it does not are left out."""
    tree = parsed(pattern)
    if tree is None:
        return ()
    found = []
    for more in (0, 1, 3):
        try:
            text = "".join(islice(_text(tree, more, 0), _LONG))
        except (ValueError, RecursionError):
            return ()
        if search(pattern, text) is not False and text not in found:
            found.append(text)
    return tuple(found)


def _text(tree: Sequence[tuple[Any, Any]], more: int, depth: int) -> Iterator[str]:
    if depth > 20:
        raise ValueError(depth)
    for name, value in tree:
        match str(name):
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN" as kind:
                yield _character(kind, value)
            case "SUBPATTERN":
                yield from _text(tuple(value[3]), more, depth + 1)
            case "BRANCH":
                branches = value[1]
                yield from _text(tuple(branches[min(more, len(branches) - 1)]), more, depth + 1)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                low, high, inner = value
                count = (
                    low if str(high) == "MAXREPEAT" and more == 0 else min(low + more, int(high))
                )
                for _ in range(min(count, 300)):
                    yield from _text(tuple(inner), more, depth + 1)
            case "ATOMIC_GROUP":
                yield from _text(tuple(value), more, depth + 1)


def _character(kind: str, value: Any) -> str:
    match kind:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return "b" if value == ord("a") else "a"
        case "IN":
            return _one_of(value)
    return "a"


def _one_of(items: Sequence[tuple[Any, Any]]) -> str:
    named = [(str(name), value) for name, value in items]
    if named and named[0][0] == "NEGATE":
        for character in _WORDS:
            if not any(_is_in(character, item) for item in named[1:]):
                return character
        raise ValueError(items)
    name, value = named[0]
    match name:
        case "LITERAL":
            return chr(value)
        case "RANGE":
            return chr(value[0])
    return {**_CLASSES, **_NOT_CLASSES}.get(str(value), "a")


def _is_in(character: str, item: tuple[str, Any]) -> bool:
    name, value = item
    match name:
        case "LITERAL":
            return bool(ord(character) == value)
        case "RANGE":
            return bool(value[0] <= ord(character) <= value[1])
        case "CATEGORY":
            tests = {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s"}
            kind = str(value).removeprefix("CATEGORY_")
            inside = re.match(tests[kind.removeprefix("NOT_")], character) is not None
            return inside is not kind.startswith("NOT_")
    return False
