"""A rule about one way to do something, and none about the other.

What it does:
    Reports a granted tool whose name differs from that of a tool which a rule across tools stops
    by its verb alone, where both verbs destroy (or both run) and both take the same arguments:
    `purge_user` beside `delete_*`. Tools that another rule, a limit or an approval is about are
    left alone.

Why:
    A model that may not `delete_user` tries `purge_user` next.

Fails:
    tools:
      delete_user: {args: {id: {type: integer, minimum: 1}}}
      purge_user: {args: {id: {type: integer, minimum: 1}}}
    rules:
      - {id: admins, tools: ["delete_*"], when: '!("admin" in principal.roles)', effect: deny}

Passes:
    tools:
      delete_user: {args: {id: {type: integer, minimum: 1}}}
      purge_user: {args: {id: {type: integer, minimum: 1}}}
    rules:
      - id: admins
        tools: ["delete_*", "purge_*"]
        when: '!("admin" in principal.roles)'
        effect: deny

Fix:
    Name the tool as well.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.siblings import missed
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import names_in, words_of

__all__ = ["RULE"]

_Deed = tuple[int, tuple[str, ...], frozenset[str]]

_ALIKE: Final = (
    names_in("delete purge wipe erase destroy"),
    names_in("run exec execute"),
)
"""Verbs that say the same of one thing."""


def _find(subject: Subject) -> Iterator[Found]:
    named: dict[_Deed, list[str]] = {}
    for name in subject.names:
        key = _deed(subject, name)
        if key is not None:
            named.setdefault(key, []).append(name)
    groups = {name: names for names in named.values() if len(names) > 1 for name in names}
    said: set[str] = set()
    for found in subject.conditions if groups else ():
        if found.placed.top is None or found.compiled.effect not in RESTRICTING:
            continue
        covered = subject.covered(found) if found.stage == "tool_call" else ()
        for like in covered:
            for name in groups.get(like, ()):
                if name in covered or name in said or not _is_free(subject, name):
                    continue
                said.add(name)
                yield missed(subject, found, name, like, "a glob that matches it")


def _deed(subject: Subject, name: str) -> _Deed | None:
    """Return which verbs a tool's name begins with, what it is done to, and the arguments."""
    server, _, own = name.rpartition("/")
    words = words_of(own)
    for number, verbs in enumerate(_ALIKE):
        if len(words) > 1 and words[0] in verbs:
            given = [entry.block.args for entry in subject.entries_of(name) if entry.block.args]
            done = (server, *(word.rstrip("s") for word in words[1:]))
            return number, done, frozenset(argument for args in given for argument in args)
    return None


def _is_free(subject: Subject, name: str) -> bool:
    """Whether a tool is granted, and nothing else is said about its calls."""
    entries = subject.entries_of(name)
    if not entries or any(entry.block.effect != "allow" for entry in entries):
        return False
    own = [found for found in subject.rules_of(name) if not _is_for_all(found.placed.top)]
    return not own and not any(
        matches_glob(glob, name)
        for loaded in subject.policies
        for limit in loaded.policy.limits
        for glob in limit.tools or ()
    )


def _is_for_all(top: object) -> bool:
    """Whether a rule is about every tool, and so not about this one."""
    return "*" in (getattr(top, "tools", None) or ())


RULE: Final = LintRule("PE169", "misses-a-synonym", "warning", __doc__ or "", _find)
