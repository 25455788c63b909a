"""A condition that reads the clock in two time zones.

What it does:
    Reports a condition with `now.getHours("Europe/Berlin")` beside `now.getDayOfWeek()`, or any
    two parts of `now` in different zones.

Why:
    Without a zone it is UTC. On Sunday at half past midnight in Berlin it is still Saturday in
    UTC, so "not on Sundays" does not hold when it matters.

Fails:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}
    rules:
      - id: closed
        tools: [pay]
        when: now.getHours("Europe/Berlin") >= 18 || now.getDayOfWeek() == 0
        effect: deny

Passes:
    tools:
      pay: {args: {amount: {type: number, minimum: 0, maximum: 50}}}
    rules:
      - id: closed
        tools: [pay]
        when: now.getHours("Europe/Berlin") >= 18 || now.getDayOfWeek("Europe/Berlin") == 0
        effect: deny

Fix:
    Name the zone everywhere.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.places import nodes
from policy_engine.lint.proof.formula import term
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        if found.compiled.condition is None:
            continue
        zones: dict[str, tuple[int, int]] = {}
        for node in nodes(found.compiled.condition.tree):
            path = term(node)
            if path is not None and path[0] == "now" and len(path) > 1:
                zones.setdefault(path[2] if len(path) > 2 else "UTC", (node.start, node.end))
        if len(zones) > 1:
            first, second = sorted(zones, key=lambda zone: zones[zone])[:2]
            message = f"this reads the clock in {first} and in {second}"
            hint = "name the same zone everywhere; without one it is UTC"
            yield Found(found.policy, found.path, message, hint, part=zones[second])


RULE: Final = LintRule("PE140", "mixed-time-zones", "warning", __doc__ or "", _find)
