"""Something that is still to be done.

What it does:
    Reports `TODO`, `FIXME`, `XXX` or `TBD` in a text or a comment of a policy.

Why:
    It was to be settled before the policy decides, and the policy decides.

Fails:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}  # TODO ask finance

Passes:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}  # as finance asked

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
_BREAK: Final = re.compile(r"\r\n|\r|\n")


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        if _MARK.search(loaded.document.text) is None:
            continue
        for number, line in enumerate(_BREAK.split(loaded.document.text), 1):
            match = _MARK.search(line)
            if match is not None:
                message = f'"{match[0]}": something is still to be done'
                yield Found(loaded, (), message, "do it before the policy decides", line=number)


RULE: Final = LintRule("PE306", "todo", "warning", __doc__ or "", _find)
