"""A path that is only looked at from the front.

What it does:
    Reports a `pattern` or `startsWith` that lets paths through which begin with a folder, where
    `..` may follow: `/srv/data/../../etc/passwd` begins with `/srv/data/`. And a pattern of an
    argument that is called a path or a file, whose characters allow `../../etc/passwd`.

Why:
    The tool opens where the path leads, not where it begins.

Fails:
    tools:
      read:
        args: {path: {type: string, maxLength: 200, pattern: '^/srv/data/.*$'}}

    ---
    tools:
      read: {args: {path: {type: string, maxLength: 200, pattern: '^[a-z0-9/._-]+$'}}}

Passes:
    tools:
      read:
        args: {path: {type: string, maxLength: 200, pattern: '^/srv/data/[a-z0-9_-]+[.]txt$'}}

Fix:
    List the characters that names may have, without `/` and `..`, or refuse `..` in a rule.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.pieces import lets_through, tested
from policy_engine.lint.places import schemas
from policy_engine.lint.proof.regexes import edges, search
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import kind_of

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        pattern = place.schema.get("pattern")
        if not isinstance(pattern, str) or place.entry is None:
            continue
        folder = edges(pattern)[0]
        value = _escape(folder)
        if value is None and not folder and kind_of(place.name, place.entry.name) == "path":
            value = _UP
        if value is None or search(pattern, value) is not True:
            continue
        witness = accepted(subject, place, value, "accepted, and leads out of the folder")
        if witness is not None:
            where = f'"{folder}"' if folder else "any folder"
            message = f'"{value}" matches, and leads out of {where}'
            hint = "list the characters that names may have, without `..`"
            yield Found(place.policy, (*place.path, "pattern"), message, hint, witness=witness)
    for one in tested(subject):
        value = _escape(str(one.operand)) if one.kind == "prefix" and one.allows else None
        if value is None:
            continue
        witness = lets_through(subject, one, value, "not stopped, and leads out of the folder")
        if witness is not None:
            yield Found(
                one.found.policy,
                one.found.path,
                f'"{value}" begins with "{one.operand}" and leads out of it',
                'refuse ".." too, or list the characters that names may have',
                part=(one.clause.node.start, one.clause.node.end),
                witness=witness,
            )


def _escape(folder: str) -> str | None:
    if not folder.startswith(("/", "./", "~/")) or "//" in folder or len(folder) < 2:
        return None
    return f"{folder.rstrip('/')}/{'../' * max(1, folder.rstrip('/').count('/'))}etc/passwd"


_UP: Final = "../../etc/passwd"

RULE: Final = LintRule("PE218", "path-by-prefix", "warning", __doc__ or "", _find)
