"""A glob that matches no tool.

What it does:
    Reports a glob in the `tools` or `except` of a rule or a limit that matches no name of any
    entry, and with `--tools` a glob entry that matches no tool.

Why:
    The rule covers nothing, now or ever: names that no entry matches are denied anyway. Usually
    the tools were renamed, or the glob has the separator of another naming scheme.

Fails:
    tools:
      crm_delete: {args: {id: {type: integer, minimum: 1}}}
      crm_read: {args: {id: {type: integer, minimum: 1}}}
    rules:
      - {id: no-deletes, tools: ["delete_*"], when: 'principal.id == "u1"', effect: deny}

Passes:
    tools:
      crm_delete: {args: {id: {type: integer, minimum: 1}}}
      crm_read: {args: {id: {type: integer, minimum: 1}}}
    rules:
      - {id: no-deletes, tools: ["*_delete"], when: 'principal.id == "u1"', effect: deny}

Fix:
    Write the glob as the tools are named. A rule that waits for tools to come belongs into the
    change that brings them.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import is_glob, matches_glob
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Path

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for loaded, path, glob in _globs(subject):
        if not subject.entries_about([glob]):
            message = f'the glob "{glob}" matches no tool that an entry names'
            yield Found(loaded, path, message, "write it as the tools are named")
    if subject.tools is not None:
        for entry in subject.entries:
            if is_glob(entry.name) and not any(matches_glob(entry.name, n) for n in subject.tools):
                message = f'the entry "{entry.name}" matches no tool that there is'
                hint = "write it as the tools are named, or remove it"
                yield Found(entry.policy, entry.path, message, hint, on_key=True)


def _globs(subject: Subject) -> Iterator[tuple[LoadedPolicy, Path, str]]:
    for loaded in subject.policies:
        policy = loaded.policy
        for i, rule in enumerate(policy.rules):
            for key, names in (("tools", rule.tools), ("except", rule.except_)):
                for j, name in enumerate(names or ()):
                    if is_glob(name):
                        yield loaded, ("rules", i, key, j), name
        for i, limit in enumerate(policy.limits):
            for j, name in enumerate(limit.tools or ()):
                if is_glob(name):
                    yield loaded, ("limits", i, "tools", j), name


RULE: Final = LintRule("PE108", "dead-glob", "warning", __doc__ or "", _find)
