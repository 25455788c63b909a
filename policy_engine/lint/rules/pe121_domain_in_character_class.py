r"""A word or a domain in square brackets.

What it does:
    Reports a pattern with a character class that spells a domain or several words:
    `[^acme.com]`, `[admin|root]`.

Why:
    Square brackets stand for one character of a set. `[^acme.com]` is any character but a, c, m,
    e, o and the dot: mails to `acme.com` still match, and so do most others.

Fails:
    tools:
      mail: {args: {to: {type: string, maxLength: 80, pattern: '^.*@[^acme.com]+$'}}}

Passes:
    tools:
      mail: {args: {to: {type: string, maxLength: 80, pattern: '^[a-z]+@acme\.com$'}}}

Fix:
    Use a group: `(acme\.com|acme\.org)`. What a value must not be is said in a rule.
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


_CLASS: Final = re.compile(r"(?<!\\)\[\^?((?:\\.|[^\]\\]){1,200}+)\]")
_DOMAIN: Final = re.compile(r"@?[a-z][a-z0-9-]*[a-z0-9](?:\\?\.[a-z0-9-]*[a-z])+\$?", re.IGNORECASE)
_WORDS: Final = re.compile(r"[a-z_]{2,}(?:\|[a-z_]{2,})+", re.IGNORECASE)
_RANGE: Final = re.compile(r"(?:a-z|A-Z|0-9|a-f|A-F)")


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        for match in _CLASS.finditer(place.pattern):
            inside = match[1]
            if _RANGE.search(inside):
                continue
            if _DOMAIN.fullmatch(inside) or _WORDS.fullmatch(inside):
                yield Found(
                    place.policy,
                    place.path,
                    f'"{match[0]}" is one character of a set, not a name',
                    "use a group: `(one|other)`; what must not be is said in a rule",
                    part=place.part,
                    witness=_witness(subject, place),
                )
                break


def _witness(subject: Subject, place: PatternAt) -> Witness | None:
    if place.place is None:
        return None
    for text in ("x@evil.example", "someone@evil.example", *sample(place.pattern)):
        if search(place.pattern, text):
            witness = accepted(subject, place.place, text, "accepted, against what is meant")
            if witness is not None:
                return witness
    return None


RULE: Final = LintRule("PE121", "domain-in-character-class", "error", __doc__ or "", _find)
