r"""A dot in a host name that stands for any character.

What it does:
    Reports a pattern that lets values through in which a host name such as `api.example.com` has
    a dot without a backslash.

Why:
    `.` is any character: `api.example.com` also matches `apixexample.com`, which anybody can
    register.

Fails:
    tools:
      fetch: {args: {url: {type: string, maxLength: 200, pattern: '^https://api.example.com/[a-z]*$'}}}

Passes:
    tools:
      fetch: {args: {url: {type: string, maxLength: 200, pattern: '^https://api\.example\.com/[a-z]*$'}}}

Fix:
    Write `\.` or `[.]`.
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


_HOST: Final = re.compile(
    r"(?:[a-z0-9-]{2,63}(?:\\?\.)){1,8}(?:com|org|net|edu|gov|mil|int|io|dev|app|ai|co|cloud|example|"
    r"test|local|internal|corp|info|biz|uk|de|fr|eu|us|ch|at|nl|it|es|ca|au|jp|in|cn)"
    r"(?![a-z0-9*+?{-])",
    re.IGNORECASE,
)
_BARE: Final = re.compile(r"(?<!\\)\.(?![*+?{])")
_CLASS: Final = re.compile(r"\[(?:\\.|[^\]\\]){0,300}+\]")


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        if not place.allows:
            continue
        outside = _CLASS.sub(lambda match: "\0" * len(match[0]), place.pattern)
        for match in _HOST.finditer(outside):
            if _BARE.search(match[0]) is None:
                continue
            yield Found(
                place.policy,
                place.path,
                f'the dot in "{match[0]}" stands for any character',
                r"write `\.`",
                part=place.part,
                witness=_witness(subject, place, match[0]),
            )
            break


def _witness(subject: Subject, place: PatternAt, host: str) -> Witness | None:
    if place.place is None:
        return None
    for text in sample(place.pattern):
        plain = "".join("a" if piece == "." else piece for piece in _pieces(host))
        other = "".join("x" if piece == "." else piece for piece in _pieces(host))
        value = text.replace(plain, other)
        if value != text and search(place.pattern, value):
            witness = accepted(subject, place.place, value, "accepted: another host altogether")
            if witness is not None:
                return witness
    return None


def _pieces(host: str) -> list[str]:
    """Split a host into what stands for itself and bare dots."""
    return [piece.removeprefix("\\") for piece in re.findall(r"\\.|.", host)]


RULE: Final = LintRule("PE208", "unescaped-dot", "warning", __doc__ or "", _find)
