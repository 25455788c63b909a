"""A finding that is silenced without a reason.

What it does:
    Reports a `# lint: ignore[...]` behind which nothing is said: no word, or `TODO` alone. One
    word is a reason. No comment silences what is found about comments.

Why:
    The next reader has to find out again whether it is right.

Fails:
    tools:
      lookup: allow  # lint: ignore[PE203]

Passes:
    tools:
      lookup: allow  # lint: ignore[PE203] its arguments are checked by the tool itself

Fix:
    Say in a few words why it is right here.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.suppression import suppressions

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for comment in suppressions(loaded.document):
            if not comment.says_why:
                message = "this comment does not say why"
                hint = "write the reason behind the bracket"
                within = (comment.column, comment.length)
                yield Found(loaded, (), message, hint, line=comment.line, within=within)


RULE: Final = LintRule("PE302", "suppression-without-reason", "warning", __doc__ or "", _find)
