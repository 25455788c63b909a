"""An exception that nobody answers for.

What it does:
    Reports a `# lint: ignore[...]` whose reason names nobody (`@name`) or has no end (`until
    YYYY-MM-DD`), and a rule with `except` and no `description`. Only for the pedantic persona.

Why:
    In a year somebody asks whether it still holds, and there is nobody to ask.

Fails:
    tools:
      lookup: allow  # lint: ignore[PE203] its arguments are checked by the tool itself

Passes:
    tools:
      lookup: allow  # lint: ignore[PE203] the tool checks them; @payments until 2999-03-31

Fix:
    Name a person or a team, and a day.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.suppression import suppressions

__all__ = ["RULE"]

_OWNER: Final = re.compile(r"(?:^|\s)@[A-Za-z0-9][A-Za-z0-9_./-]*")
_UNTIL: Final = re.compile(r"\buntil [0-9]{4}-[0-9]{2}-[0-9]{2}\b", re.IGNORECASE)


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for comment in suppressions(loaded.document):
            missing = []
            if _OWNER.search(comment.reason) is None:
                missing.append("nobody answers for it")
            if _UNTIL.search(comment.reason) is None:
                missing.append("it has no end")
            if missing:
                message = f"this exception: {' and '.join(missing)}"
                hint = "write `@name until YYYY-MM-DD` into its reason"
                within = (comment.column, comment.length)
                yield Found(loaded, (), message, hint, line=comment.line, within=within)
        for index, rule in enumerate(loaded.policy.rules):
            if rule.except_ and rule.description is None:
                message = f'nothing says why "{rule.id}" leaves tools out'
                path = ("rules", index, "except")
                yield Found(loaded, path, message, "say it in its `description`", on_key=True)


RULE: Final = LintRule(
    "PE314", "waiver-without-owner", "info", __doc__ or "", _find, persona="pedantic"
)
