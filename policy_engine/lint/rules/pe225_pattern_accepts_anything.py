"""A pattern that every value matches.

What it does:
    Reports a `pattern` of an argument, or a `matches` that lets a value through, that matches
    the empty text without being anchored at both ends, such as `[a-z]*`, or that is `.*`.

Why:
    A pattern finds its match anywhere, and the empty text is everywhere.

Fails:
    tools:
      note: {args: {title: {type: string, maxLength: 80, pattern: '[a-z ]*'}}}
    ---
    tools:
      note: {args: {title: {type: string, maxLength: 80, pattern: '^.*$'}}}

Passes:
    tools:
      note: {args: {title: {type: string, maxLength: 80, pattern: '^[a-z ]*$'}}}

Fix:
    Anchor it with `^` and `$`, or remove it.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import patterns
from policy_engine.lint.proof.regexes import search
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_TRIED: Final = ("", "a", "7", " ", "; rm -rf /", "<script>", "../etc", "\u00e9\u4e2d", "A-Z_x@y.z")


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        if not place.allows or not all(search(place.pattern, text) for text in _TRIED):
            continue
        witness = None
        if place.place is not None:
            shows = "accepted, like everything else"
            tried = (accepted(subject, place.place, text, shows) for text in _TRIED[4:])
            witness = next((one for one in tried if one is not None), None)
            if witness is None:
                continue  # another keyword holds the value
        yield Found(
            place.policy,
            place.path,
            f'every value matches "{place.pattern[:60]}"',
            "anchor it with `^` and `$` and say which characters, or remove it",
            part=place.part,
            witness=witness,
        )


RULE: Final = LintRule("PE225", "pattern-accepts-anything", "warning", __doc__ or "", _find)
