"""A label that no rule reads.

What it does:
    Reports a label that an entry sets and no condition of the set asks for.

Why:
    "untrusted" alone does nothing. The rule that stops sending after reading was forgotten, or
    asks for another spelling elsewhere.

Fails:
    tools:
      read_page: {args: {}, labels: [untrusted]}

Passes:
    tools:
      read_page: {args: {}, labels: [untrusted]}
      send: {args: {}}
    rules:
      - {id: no-leak, tools: [send], when: '"untrusted" in session.labels', effect: deny}

Fix:
    Write the rule that reads it, or remove the label.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.cel.nodes import Literal
from policy_engine.lint.places import nodes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    labelled = [entry for entry in subject.entries if entry.block.labels]
    if not labelled:
        return
    read: set[object] = set()
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is not None and any(
            path[:2] == ("session", "labels") for path in condition.reads
        ):
            for node in nodes(condition.tree):
                if isinstance(node, Literal):
                    read.update(node.value if isinstance(node.value, tuple) else (str(node.value),))
            if not any(isinstance(node, Literal) for node in nodes(condition.tree)):
                return  # it reads labels that cannot be told
    for entry in labelled:
        for index, label in enumerate(entry.block.labels):
            if label not in read:
                path = (*entry.path, "labels", index)
                message = f'no rule reads the label "{label}"'
                hint = f"""write a rule with `'"{label}" in session.labels'`, or remove it"""
                yield Found(entry.policy, path, message, hint)


RULE: Final = LintRule("PE117", "unread-label", "warning", __doc__ or "", _find)
