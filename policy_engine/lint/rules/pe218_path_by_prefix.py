"""A path that is only looked at from the front.

What it does:
    Reports a `pattern` or `startsWith` that lets paths through which begin with a folder, where
    `..` may follow: `/srv/data/../../etc/passwd` begins with `/srv/data/`. And a pattern of an
    argument that is called a path or a file, whose characters allow `../../etc/passwd`, or which
    is only asked for its ending, as in `^.*[.]md$` and `endsWith(".md")`.

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
from policy_engine.lint.pieces import Piece, lets_through, tested
from policy_engine.lint.places import schemas
from policy_engine.lint.proof.regexes import edges, sample, search
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
        tried = [] if value is None else [value]
        if not tried and not folder and kind_of(place.name, place.entry.name) == "path":
            tried = [
                _UP,
                *(_UP + text[text.rfind(".") :] for text in sample(pattern) if "." in text),
            ]
        for value in tried:
            if search(pattern, value) is not True:
                continue
            witness = accepted(subject, place, value, "accepted, and leads out of the folder")
            if witness is not None:
                where = f'"{folder}"' if folder else "any folder"
                message = f'"{value}" matches, and leads out of {where}'
                path = (*place.path, "pattern")
                yield Found(place.policy, path, message, _HINT, witness=witness)
                break
    for one in tested(subject):
        value = _way_out(subject, one)
        if value is None:
            continue
        witness = lets_through(subject, one, value, "not stopped, and leads out of the folder")
        if witness is not None:
            how = "begins" if one.kind == "prefix" else "ends"
            yield Found(
                one.found.policy,
                one.found.path,
                f'"{value}" {how} with "{one.operand}" and leads out of '
                + ("it" if how == "begins" else "any folder"),
                'refuse ".." too, or list the characters that names may have',
                part=(one.clause.node.start, one.clause.node.end),
                witness=witness,
            )


def _way_out(subject: Subject, one: Piece) -> str | None:
    """Return a path that passes a test and leads out of the folder."""
    if not one.allows:
        return None
    if one.kind == "prefix":
        return _escape(str(one.operand))
    names = subject.covered(one.found)
    is_path = kind_of(one.argument.rpartition(".")[2], names[0] if names else "") == "path"
    return f"{_UP}{one.operand}" if one.kind == "suffix" and is_path else None


def _escape(folder: str) -> str | None:
    if not folder.startswith(("/", "./", "~/")) or "//" in folder or len(folder) < 2:
        return None
    return f"{folder.rstrip('/')}/{'../' * max(1, folder.rstrip('/').count('/'))}etc/passwd"


_UP: Final = "../../etc/passwd"
_HINT: Final = "list the characters that names may have, without `..`"

RULE: Final = LintRule("PE218", "path-by-prefix", "warning", __doc__ or "", _find)
