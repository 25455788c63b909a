"""Whether one text check breaks wherever another does, and a text that breaks one."""

import re
from typing import Any, Final

from policy_engine.lint.proof.language import covers
from policy_engine.lint.proof.regexes import sample
from policy_engine.policy import Rule

__all__ = ["check_covers", "finds_term", "text_that_breaks"]

_BOUNDS: Final = ("max_chars", "max_bytes", "max_lines")
_LONG: Final = 10_000
"""A longer text is not made up."""


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
    return all(any(finds_term(wide, one, other) for one in wide.any) for other in narrow.any)


def finds_term(options: Any, term: str, other: str) -> bool:
    """Whether a term of a list is found wherever another phrase stands."""
    if not options.case_sensitive:
        term, other = term.casefold(), other.casefold()
    if options.match == "anywhere":
        return term in other
    return re.search(rf"(?<!\w){re.escape(term)}(?!\w)", other) is not None


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
