"""A rule or limit about tools that are denied anyway.

What it does:
    Reports a rule across tools, or a limit, whose tools are all denied by their entries.

Why:
    It restricts what nobody may do. Either the entries are wrong, or the rule is left over.

Fails:
    tools:
      pay: deny
      read: {args: {id: {type: integer, minimum: 1}}}
    limits:
      - {id: payments, tools: [pay], max: 5, per: 1h, by: [session]}

Passes:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}
    limits:
      - {id: payments, tools: [pay], max: 5, per: 1h, by: [session]}

Fix:
    Allow the tool, or remove the rule.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import is_glob
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Entry, Subject, named_by
from policy_engine.lint.together import covers_name
from policy_engine.policy import LoadedPolicy
from policy_engine.source import Path

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for loaded, path, name, tools in _covering(subject):
        entries = subject.entries_about(tools)
        if entries and all(_is_denied(subject, entry) for entry in entries):
            tool = named_by(entries[0].name)
            scene = call_scene(subject, entries[0].policy, tool)
            yield Found(
                loaded,
                (*path, "id"),
                f'"{name}" is about tools that are denied anyway: {", ".join(tools)}',
                "allow the tools in an entry, or remove it",
                witness=scene.show(shows="denied by its entry", effect="deny"),
            )


def _is_denied(subject: Subject, entry: Entry) -> bool:
    return entry.block.effect == "deny" or (
        not is_glob(entry.name)
        and any(
            other.block.effect == "deny"
            and covers_name(other.name, entry.name)
            and other.policy is entry.policy
            for other in subject.entries
        )
    )


def _covering(
    subject: Subject,
) -> Iterator[tuple[LoadedPolicy, Path, str, tuple[str, ...]]]:
    for loaded in subject.policies:
        for i, rule in enumerate(loaded.policy.rules):
            if rule.tools:
                yield loaded, ("rules", i), rule.id, rule.tools
        for i, limit in enumerate(loaded.policy.limits):
            if limit.tools:
                yield loaded, ("limits", i), limit.id, limit.tools


RULE: Final = LintRule("PE109", "covers-denied-tools", "warning", __doc__ or "", _find)
