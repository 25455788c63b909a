"""A finding that was to be silenced until a day that is past.

What it does:
    Reports a `# lint: ignore[...]` whose reason says `until YYYY-MM-DD`, once that day is over.

Why:
    An exception with an end is a promise to look again.

Fails:
    tools:
      lookup: allow  # lint: ignore[PE203] the tool is being rewritten, until 2024-03-31

Passes:
    tools:
      lookup: allow  # lint: ignore[PE203] the tool is being rewritten, until 2999-03-31

Fix:
    Mend what is silenced, or give a new day and a new reason.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.suppression import suppressions

__all__ = ["RULE"]

_UNTIL: Final = re.compile(r"\buntil ([0-9]{4}-[0-9]{2}-[0-9]{2})\b", re.IGNORECASE)


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for comment in suppressions(loaded.document):
            match = _UNTIL.search(comment.reason)
            if match is None:
                continue
            within = (comment.column, comment.length)
            try:
                end = date.fromisoformat(match[1])
            except ValueError:
                yield Found(
                    loaded,
                    (),
                    f'there is no day "{match[1]}"',
                    "write it as 2027-03-31",
                    line=comment.line,
                    within=within,
                )
                continue
            if end < subject.options.today:
                message = f"this was to be silenced until {end}"
                hint = "mend it, or give a new day and a reason"
                yield Found(loaded, (), message, hint, line=comment.line, within=within)


RULE: Final = LintRule("PE313", "past-waiver", "warning", __doc__ or "", _find)
