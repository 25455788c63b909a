r"""A range of characters that spans more than it says.

What it does:
    Reports a range in square brackets whose ends are of two kinds, such as `A-z`, and one between
    two signs that takes in others, such as `+-_` or `+-.`. The blocks of signs that ASCII has,
    all that can be printed (` -~`), and ends that are written as `\x20` are left alone.

Why:
    `A-z` also takes `[ \ ] ^ _` and the backtick; `+-_` takes all digits, all capitals and
    `, / : ; < = > ? @`. A hyphen between two characters is a range, wherever it was meant.

Fails:
    tools:
      find: {args: {name: {type: string, maxLength: 40, pattern: '^[A-z]+$'}}}
    ---
    tools:
      find: {args: {name: {type: string, maxLength: 40, pattern: '^[a-z0-9+-_]+$'}}}

Passes:
    tools:
      find: {args: {name: {type: string, maxLength: 40, pattern: '^[A-Za-z0-9+_-]+$'}}}
    ---
    tools:
      note: {args: {text: {type: string, maxLength: 40, pattern: '^[ -~]+$'}}}

Fix:
    Write `A-Za-z`; put a hyphen that is meant at the end, or a backslash in front of it.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.finding import Witness
from policy_engine.lint.places import PatternAt, patterns
from policy_engine.lint.proof.regexes import sample, search
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_CLASS: Final = re.compile(
    r"(?<!\\)(?:\\\\)*\[\^?(\]?(?:\\.|\[:\^?[a-z]{1,9}:\]|[^\]\\]){0,200}+)\]", re.DOTALL
)
_ITEM: Final = re.compile(
    r"\\(?:x[0-9A-Fa-f]{2}|x\{[^}]*\}|u[0-9A-Fa-f]{4}|.)|\[:[^:]*:\]|.", re.DOTALL
)
_BLOCKS: Final = frozenset({" /", "!/", ":@", "[`", "{~", " ~", "!~"})
_SIGNS: Final = "other"
_MOST: Final = 8
"""So many characters are named."""


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        for inside in _CLASS.findall(place.pattern):
            wrong = next(_accidents(inside), None)
            if wrong is None:
                continue
            low, high, more = wrong
            named = " ".join(more[:_MOST]) + (" ..." if len(more) > _MOST else "")
            is_split = _SIGNS not in {_kind(low), _kind(high)}
            yield Found(
                place.policy,
                place.path,
                f'the range "{low}-{high}" also takes {named}',
                "write each range by itself: `A-Za-z0-9`"
                if is_split
                else r"put the `-` last, or write `\-`",
                part=place.part,
                witness=_witness(subject, place, more),
            )
            break


def _accidents(inside: str) -> Iterator[tuple[str, str, str]]:
    """Go through ranges that take more than they say: their ends, and what else they take."""
    items = _ITEM.findall(inside)
    at = 0
    while at + 2 < len(items):
        low, dash, high = items[at : at + 3]
        if dash != "-":
            at += 1
            continue
        more = _taken_too(low, high)
        if more:
            yield low[-1], high[-1], more
        at += 3


def _taken_too(low: str, high: str) -> str:
    """Return what a range takes that its reader would not think of."""
    if any(len(end) > 2 or (len(end) == 2 and end[1].isalnum()) for end in (low, high)):
        return ""  # written as a number: on purpose
    first, last = low[-1], high[-1]
    if not (" " <= first < last <= "~") or first + last in _BLOCKS:
        return ""
    kinds = (_kind(first), _kind(last))
    between = [chr(code) for code in range(ord(first), ord(last) + 1)]
    if kinds[0] == kinds[1]:
        if kinds[0] != _SIGNS:
            return ""
        return "".join(one for one in between if one not in {first, last, "-"})
    return "".join(one for one in between if _kind(one) not in {*kinds} - {_SIGNS})


def _kind(char: str) -> str:
    if char.isdigit():
        return "digit"
    if char.isalpha():
        return "capital" if char.isupper() else "small"
    return _SIGNS


def _witness(subject: Subject, place: PatternAt, more: str) -> Witness | None:
    if place.place is None or not place.allows:
        return None
    for text in sample(place.pattern):
        for char in more:
            for value in (f"{text[:1]}{char}{text[1:]}", char + text[1:], text[:-1] + char):
                if search(place.pattern, value):
                    shows = f'accepted, with "{char}" in it'
                    witness = accepted(subject, place.place, value, shows)
                    if witness is not None:
                        return witness
    return None


RULE: Final = LintRule("PE147", "accidental-range", "warning", __doc__ or "", _find)
