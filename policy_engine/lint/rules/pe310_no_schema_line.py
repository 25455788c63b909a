"""A file that editors do not know the schema of.

What it does:
    Reports a policy that does not begin with a `# yaml-language-server: $schema=` line. Only for
    the pedantic persona.

Why:
    With it, editors complete keys and mark mistakes while they are typed.

Fails:
    policy: example
    language: 1
    tools:
      pay: deny

Passes:
    # yaml-language-server: $schema=https://policy-engine.dev/schema/policy.schema.json
    policy: example
    language: 1
    tools:
      pay: deny

Fix:
    Add the line; `--fix` does.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.finding import Edit
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_LINE: Final = (
    "# yaml-language-server: $schema=https://policy-engine.dev/schema/policy.schema.json\n"
)


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        document = loaded.document
        if not document.text.startswith("# yaml-language-server:"):
            message = "editors do not know the schema of this file"
            edit = Edit(document.path, 0, 0, _LINE)
            yield Found(loaded, (), message, f"begin with `{_LINE.strip()}`", edits=(edit,), line=1)


RULE: Final = LintRule("PE310", "no-schema-line", "info", __doc__ or "", _find, persona="pedantic")
