"""A pattern that need not match the whole value.

What it does:
    Reports a `pattern` of an argument, and a `matches` that lets a value through, that is not
    anchored with `^` and `$` in every alternative. A pattern finds its match anywhere:
    `ORD-[0-9]{8}` accepts `x; ORD-00000001; y`, and in `^a|b$` each anchor holds for one
    alternative alone. With `(?m)`, both hold for any line of the value. A pattern that starts at
    `^` and ends in `/`, and one that ends at `$` and starts with `@`, are left alone.

Why:
    What was meant as "is an order number" says "has an order number in it".

Fails:
    tools:
      refund: {args: {order: {type: string, pattern: 'ORD-[0-9]{8}'}}}
    ---
    tools:
      refund: {args: {kind: {type: string, pattern: '^full|part$'}}}

Passes:
    tools:
      refund: {args: {order: {type: string, pattern: '^ORD-[0-9]{8}$'}}}
    ---
    tools:
      refund: {args: {kind: {type: string, pattern: '^(full|part)$'}}}

Fix:
    Write `^(...)$`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.finding import Witness
from policy_engine.lint.places import PatternAt, patterns
from policy_engine.lint.proof.regexes import is_anchored, sample, search, top_branches
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        if not place.allows or search(place.pattern, "") is True:
            continue
        where = _loose_end(place.pattern)
        if where is None:
            continue
        shown, sure = _witness(subject, place)
        if shown is None and sure:
            continue  # another keyword holds the value
        yield Found(
            place.policy,
            place.path,
            f'the pattern "{place.pattern[:60]}" {where}',
            "take the `m` out of `(?m)`"
            if _BY_LINES.search(place.pattern)
            else "write `^(...)$`: a pattern finds its match anywhere",
            part=place.part,
            witness=shown,
        )


_BY_LINES: Final = re.compile(r"\(\?[a-z]*m[a-z]*[):]")


def _loose_end(pattern: str) -> str | None:
    branches = top_branches(pattern)
    if _BY_LINES.search(pattern):
        return "may match a line of several"
    starts = [is_anchored(branch, start=True) for branch in branches]
    ends = [is_anchored(branch, start=False) for branch in branches]
    if not branches or (all(starts) and all(ends)):
        return None
    if len(branches) == 1:
        # A value that must begin `https://host/`, or end `@host`, has a boundary of its own.
        if starts[0] and pattern.endswith(("/", ".*", ".+")):
            return None
        if ends[0] and pattern.startswith("@"):
            return None
    if not any(starts) and not any(ends):
        return "may match anywhere in the value"
    if len(branches) > 1 and (any(starts) or any(ends)):
        return "is not anchored in every alternative"
    return "may go on behind its match" if starts[0] else "may start before its match"


def _witness(subject: Subject, place: PatternAt) -> tuple[Witness | None, bool]:
    """Return a call with more than the pattern means, and whether one should be found."""
    if place.place is None:
        return None, False
    tried = False
    for text in sample(place.pattern):
        for value in (
            f"evil\n{text}",
            f"evil {text}",
            f"{text} evil",
            f"evil {text} evil",
            f"x{text}",
            f"{text}x",
        ):
            if search(place.pattern, value):
                tried = True
                shows = "accepted, though it holds more than the pattern means"
                witness = accepted(subject, place.place, value, shows)
                if witness is not None:
                    return witness, True
    return None, tried


RULE: Final = LintRule("PE207", "unanchored-pattern", "warning", __doc__ or "", _find)
