"""Whether one text check breaks wherever another does, and a text that breaks one."""

import re
from collections.abc import Callable
from typing import Any, Final

from policy_engine.lint.proof.language import covers
from policy_engine.lint.proof.regexes import sample
from policy_engine.policy import Rule

__all__ = ["check_covers", "term_finder", "text_that_breaks"]

_BOUNDS: Final = ("max_chars", "max_bytes", "max_lines")
_LONG: Final = 10_000
"""A longer text is not made up."""
_START: Final = re.compile(r"(?<!\w)")
_END: Final = re.compile(r"(?!\w)")
_ANYWHERE: Final = re.compile("")


def check_covers(wide: Rule, narrow: Rule) -> bool:
    """Whether the check of a rule certainly breaks wherever that of another does."""
    if wide.check is None or narrow.check is None or not _reads_as_much(wide, narrow):
        return False
    if wide.check == narrow.check:
        return True
    for kind, holds in (("terms", _terms), ("pattern", _patterns), ("size", _sizes)):
        ours, theirs = getattr(wide.check, kind), getattr(narrow.check, kind)
        if ours is not None and theirs is not None:
            return holds(ours, theirs)
    return False


def _reads_as_much(wide: Rule, narrow: Rule) -> bool:
    if wide.unread == "allow" and narrow.unread != "allow":
        return False
    everywhere, here = getattr(wide, "in_", None), getattr(narrow, "in_", None)
    return everywhere is None or (here is not None and set(here) <= set(everywhere))


def _terms(wide: Any, narrow: Any) -> bool:
    if wide.case_sensitive and not narrow.case_sensitive:
        return False
    if wide.match == "word" and narrow.match != "word":
        return False
    return all(map(term_finder(wide), narrow.any))


def term_finder(options: Any) -> Callable[[str], list[int]]:
    """Return what tells which terms of a list are found wherever a phrase stands.

    It gives their positions in the list, in order. The list is read once; a phrase costs what
    its length costs, however long the list is.
    """
    places: dict[str, list[int]] = {}
    for position, term in enumerate(options.any):
        places.setdefault(_folded(options, term), []).append(position)
    lengths = sorted({len(term) for term in places})
    start, end = (_START, _END) if options.match == "word" else (_ANYWHERE, _ANYWHERE)

    def find(phrase: str) -> list[int]:
        text = _folded(options, phrase)
        ends = {match.start() for match in end.finditer(text)}
        found: set[int] = set()
        for begin in (match.start() for match in start.finditer(text)):
            for length in lengths:
                if begin + length in ends:
                    found.update(places.get(text[begin : begin + length], ()))
        return sorted(found)

    return find


def _folded(options: Any, term: str) -> str:
    return term if options.case_sensitive else term.casefold()


def _patterns(wide: Any, narrow: Any) -> bool:
    return all(
        any(covers(("matches", one), ("matches", other)) for one in wide.any)
        for other in narrow.any
    )


def _sizes(wide: Any, narrow: Any) -> bool:
    for bound in _BOUNDS:
        theirs = getattr(narrow, bound)
        ours = [getattr(wide, bound)]
        if bound == "max_chars":
            ours.append(wide.max_bytes)  # there are at least as many bytes as characters
        if theirs is not None and not any(one is not None and one <= theirs for one in ours):
            return False
    return True


def text_that_breaks(rule: Rule) -> str | None:
    """Return a text that probably breaks the check of a rule."""
    check: Any = rule.check
    if check is None:
        return None
    if check.terms is not None:
        return str(check.terms.any[0])
    if check.pattern is not None:
        return next((text for pattern in check.pattern.any for text in sample(pattern)), None)
    most = None if check.size is None else check.size.max_chars or check.size.max_bytes
    return "x" * (most + 1) if most is not None and most < _LONG else None
