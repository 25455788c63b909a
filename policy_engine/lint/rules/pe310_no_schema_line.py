"""A file that editors do not know the schema of.

What it does:
    Reports a policy that does not begin with a `# yaml-language-server: $schema=` line, or whose
    line names a file that is not there. Only for the pedantic persona.

Why:
    With it, editors complete keys and mark mistakes while they are typed. A line that leads
    nowhere looks as if they did.

Fails:
    policy: example
    language: 1
    tools:
      pay: deny

Passes:
    # yaml-language-server: $schema=policy.schema.json
    policy: example
    language: 1
    tools:
      pay: deny

Fix:
    Write the schema beside the policies, as `policy-engine init` does:
    `policy-engine schema policy > policies/policy.schema.json`. Then begin with the line; `--fix`
    adds it where the schema stands in the policy's folder or in one above it, up to the root of
    the repository or the project.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from policy_engine.lint.finding import Edit
from policy_engine.lint.repository import folders_of
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.source import Document

__all__ = ["RULE"]

_FILE: Final = "policy.schema.json"
_WORDS: Final = "# yaml-language-server: $schema="
_NAMED: Final = re.compile(r"#\s*yaml-language-server:\s*\$schema=(\S+)")
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_WRITE: Final = f"`policy-engine schema policy > {_FILE}` writes it"


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        document = loaded.document
        named = _NAMED.match(document.text)
        near = _nearest(document)
        if named is not None:
            if _is_gone(document, named[1]):
                message = f'there is no schema "{named[1]}"'
                within = (named.start(1) + 1, len(named[1]))
                hint = _WRITE if near is None else f"it stands at {near}"
                edits = () if near is None else (Edit(document.path, *named.span(1), near),)
                yield Found(loaded, (), message, hint, edits=edits, line=1, within=within)
            continue
        line = _WORDS + (near or _FILE)
        hint = f"begin with `{line}`" + ("" if near else f"; {_WRITE}")
        edits = (Edit(document.path, 0, 0, f"{line}{document.line_end}"),) if near else ()
        message = "editors do not know the schema of this file"
        yield Found(loaded, (), message, hint, edits=edits, line=1)


def _nearest(document: Document) -> str | None:
    """Return where the schema stands as seen from a file: beside it, or above, in its project."""
    for depth, place in enumerate(folders_of(Path(document.path))):
        if (place / _FILE).is_file():
            return "../" * depth + _FILE
    return None


def _is_gone(document: Document, named: str) -> bool:
    """Whether a file names a schema that is not there; of an address that is not known."""
    path = Path(document.path)
    if _ADDRESS.match(named) or not path.is_file():
        return False
    return not (path.parent / named).is_file()


RULE: Final = LintRule("PE310", "no-schema-line", "info", __doc__ or "", _find, persona="pedantic")
