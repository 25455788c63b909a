"""Something that is still to be done.

What it does:
    Reports `TODO`, `FIXME`, `XXX` or `TBD` in a comment, a description, a message or the owner.
    What a rule looks for may be such a word.

Why:
    It was to be settled before the policy decides, and the policy decides.

Fails:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}  # TODO ask finance

Passes:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}  # as finance asked
    output:
      - {id: drafts, check: {terms: {any: [TODO, lorem ipsum]}}, effect: deny}

Fix:
    Do it, or file it where work is planned.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_MARK: Final = re.compile(r"\b(?:TODO|FIXME|XXX|TBD)\b")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_SAID: Final = re.compile(r"(?:^|[\s{,])(?:description|owner|message)\s*:.*")
"""A text for people; in any other, the word may be what a rule looks for."""
_BREAK: Final = re.compile(r"\r\n|\r|\n")


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        if _MARK.search(loaded.document.text) is None:
            continue
        for number, line in enumerate(_BREAK.split(loaded.document.text), 1):
            match = _marked(line)
            if match is not None:
                message = f'"{match[0]}": something is still to be done'
                within = (match.start() + 1, len(match[0]))
                hint = "do it before the policy decides"
                yield Found(loaded, (), message, hint, line=number, within=within)


def _marked(line: str) -> re.Match[str] | None:
    """Return the mark in a comment, or in a text for people."""
    for part in (_COMMENT.search(line), _SAID.search(line)):
        match = None if part is None else _MARK.search(line, part.start())
        if match is not None:
            return match
    return None


RULE: Final = LintRule("PE306", "todo", "info", __doc__ or "", _find)
