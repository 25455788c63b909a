"""A pattern that takes the empty text because of a bar too many.

What it does:
    Reports a pattern of an argument with an alternative that is empty, such as
    `^(dev|staging|)$`, where the empty text is accepted.

Why:
    A value was taken out and its bar left in. Most tools read an empty text as "all", or as
    their default.

Fails:
    tools:
      deploy: {args: {env: {type: string, pattern: '^(dev|staging|)$'}}}

Passes:
    tools:
      deploy: {args: {env: {type: string, pattern: '^(dev|staging)$'}}}
    ---
    tools:
      deploy: {args: {version: {type: string, pattern: '^[0-9]+([.][0-9]+|)$'}}}

Fix:
    Remove the bar; where nothing may be given, write `optional: true`.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.places import patterns
from policy_engine.lint.proof.regexes import search
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_BAR: Final = re.compile(r"(?<!\\)(?:\|(?=[)|$])|\(\|)|\|$|^\|")


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        if place.use != "argument" or place.place is None or not _BAR.search(place.pattern):
            continue
        if search(place.pattern, "") is not True or search(place.pattern, "; x") is True:
            continue
        witness = accepted(subject, place.place, "", "accepted: the empty text")
        if witness is not None:
            message = f'"{place.place.name}" may be empty: an alternative of its pattern is'
            hint = "remove the bar, or write `optional: true`"
            yield Found(place.policy, place.path, message, hint, witness=witness)


RULE: Final = LintRule("PE155", "empty-alternative", "warning", __doc__ or "", _find)
