"""A fact, a context name, an attribute or a constant that nothing reads.

What it does:
    Reports what a policy declares under `facts`, `context`, `attrs` or `vars` and none of its
    expressions, and for constants no other part, uses.

Why:
    A fact that nobody reads is still looked up before every decision that could. Mostly the rule
    that read it was removed, or reads a misspelt one.

Fails:
    vars: {most: 100}
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}

Passes:
    vars: {most: 100}
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: vars.most}}}

Fix:
    Remove it, or use it.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy import LoadedPolicy

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        policy = loaded.policy
        if not (policy.facts or policy.context or policy.attrs or policy.vars):
            continue
        read = _reads(subject, loaded)
        for section, names, prefix in (
            ("facts", policy.facts, ("facts",)),
            ("context", policy.context, ("context",)),
            ("attrs", policy.attrs, ("principal", "attrs")),
        ):
            for name in names:
                whole = any(path == prefix[: len(path)] for path in read)
                if not whole and not any(
                    path[: len(prefix) + 1] == (*prefix, name) for path in read
                ):
                    yield _found(loaded, section, name)
        for name in policy.vars:
            if not re.search(rf"\bvars\.{re.escape(name)}\b", loaded.document.text):
                yield _found(loaded, "vars", name)


def _reads(subject: Subject, loaded: LoadedPolicy) -> set[tuple[str, ...]]:
    read: set[tuple[str, ...]] = set()
    for found in subject.conditions:
        if found.policy is loaded and found.compiled.condition is not None:
            read |= found.compiled.condition.reads
    for fact in loaded.policy.facts.values():
        read.update(tuple(text.split(".")) for text in fact.with_)
    return read


def _found(loaded: LoadedPolicy, section: str, name: str) -> Found:
    message = f'nothing reads "{name}"'
    return Found(loaded, (section, name), message, "remove it, or use it", on_key=True)


RULE: Final = LintRule("PE118", "unused-declaration", "warning", __doc__ or "", _find)
