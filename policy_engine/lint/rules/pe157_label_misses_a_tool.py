"""A rule about a label that misses one of two tools of a kind.

What it does:
    Reports a tool that sends, posts, pays or deletes like one that a rule names, where that rule
    reads `session.labels` and no such rule is about the tool.

Why:
    What a stranger's page talks the agent into goes out by the other door.

Fails:
    tools:
      read_page: {args: {}, labels: [untrusted]}
      send_email: {args: {body: {type: string, maxLength: 100}}}
      send_slack: {args: {body: {type: string, maxLength: 100}}}
    rules:
      - {id: no-leak, tools: [send_email], when: '"untrusted" in session.labels', effect: deny}

Passes:
    tools:
      read_page: {args: {}, labels: [untrusted]}
      send_email: {args: {body: {type: string, maxLength: 100}}}
      send_slack: {args: {body: {type: string, maxLength: 100}}}
    rules:
      - {id: no-leak, tools: ["send_*"], when: '"untrusted" in session.labels', effect: deny}

Fix:
    Name the tool as well, or write a glob.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import is_glob
from policy_engine.lint.pieces import RESTRICTING
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.siblings import missed, siblings
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    asking = [found for found in subject.conditions if _asks(found)]
    covered = {name for found in asking for name in subject.covered(found)}
    said: set[str] = set()
    for found in asking:
        top = found.placed.top
        if top is None or any(is_glob(glob) for glob in top.tools or ()):
            continue
        for name, like in siblings(subject, top.tools or ()):
            if name in covered or name in said:
                continue
            said.add(name)
            yield missed(subject, found, name, like, "write a glob")


def _asks(found: PlacedCondition) -> bool:
    """Whether a rule stops calls by the labels of the session."""
    condition = found.compiled.condition
    return (
        condition is not None
        and found.stage == "tool_call"
        and found.compiled.effect in RESTRICTING
        and any(path[:2] == ("session", "labels") for path in condition.reads)
    )


RULE: Final = LintRule("PE157", "label-misses-a-tool", "warning", __doc__ or "", _find)
