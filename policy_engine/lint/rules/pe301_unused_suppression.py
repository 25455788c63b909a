"""A comment that silences nothing.

What it does:
    Reports a `# lint: ignore[...]` that no finding needs, or of which no finding needs one of the
    codes, or that names a code which no comment silences: one that does not exist, or PE301,
    PE302 and PE313, which are about comments; these are warnings. So is a comment that names a
    code and is written in another way, such as `# lint: disable[PE203]`, `# noqa: PE203` or
    `# LINT: IGNORE[PE203]`. One behind something is about its line; one on a line of its own is
    about the part of the policy that starts below; `# lint: ignore-file[...]` is about the file.
    What reads like a comment within a text is none.

Why:
    The flaw was mended, or moved. What is left would silence the next one.

Fails:
    tools:
      lookup: {args: {id: {type: integer, minimum: 1}}}  # lint: ignore[PE203] it had no args once

Passes:
    tools:
      lookup: allow  # lint: ignore[PE203] its arguments are checked by the tool itself

Fix:
    Remove the comment, or write it right; `--fix` removes one that names a code that there is.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.suppression import strays

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    """Find comments that are not read; the linter knows which of the others are used."""
    for loaded in subject.policies:
        for stray in strays(loaded.document):
            message = "this comment silences nothing: it is not written so"
            hint = f"write `{stray.written} and why`"
            within = (stray.column, stray.length)
            yield Found(
                loaded, (), message, hint, severity="warning", line=stray.line, within=within
            )


RULE: Final = LintRule("PE301", "unused-suppression", "info", __doc__ or "", _find)
