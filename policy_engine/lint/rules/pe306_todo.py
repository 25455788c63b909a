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
from policy_engine.source import comments

__all__ = ["RULE"]


_MARK: Final = re.compile(r"\b(?:TODO|FIXME|XXX|TBD)\b")
_SAID: Final = re.compile(r"(?:^|[\s{,])(?:description|owner|message)\s*:.*")
"""A text for people; in any other, the word may be what a rule looks for."""
_BREAK: Final = re.compile(r"\r\n|\r|\n")


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        if _MARK.search(loaded.document.text) is None:
            continue
        document = loaded.document
        commented = dict(document.place(one.start) for one in comments(document.text))
        for number, line in enumerate(_BREAK.split(document.text), 1):
            match = _marked(line, commented.get(number))
            if match is not None:
                message = f'"{match[0]}": something is still to be done'
                within = (match.start() + 1, len(match[0]))
                hint = "do it before the policy decides"
                yield Found(loaded, (), message, hint, line=number, within=within)


def _marked(line: str, comment: int | None) -> re.Match[str] | None:
    """Return the mark in a comment, which begins at a column, or in a text for people."""
    said = _SAID.search(line)
    for start in (None if comment is None else comment - 1, said and said.start()):
        match = None if start is None else _MARK.search(line, start)
        if match is not None:
            return match
    return None


RULE: Final = LintRule("PE306", "todo", "info", __doc__ or "", _find)
