"""A condition about a day that is past.

What it does:
    Reports a comparison of `now` with a timestamp that lies before today.

Why:
    `now < timestamp("2024-01-01T00:00:00Z")` is never true again, and `>` for ever: the freeze is
    over, and the rule either does nothing or hides that it is permanent.

Fails:
    tools:
      deploy: {args: {host: {enum: [a, b]}}}
    rules:
      - id: freeze
        tools: [deploy]
        when: now < timestamp("2024-01-01T00:00:00Z")
        effect: deny

Passes:
    tools:
      deploy: {args: {host: {enum: [a, b]}}}
    rules:
      - id: freeze
        tools: [deploy]
        when: now < timestamp("2999-01-01T00:00:00Z")
        effect: deny

Fix:
    Remove the comparison, or the rule.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

from policy_engine.cel.nodes import Call, Literal, Node, VariableRead
from policy_engine.lint.places import nodes, piece
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import shown

__all__ = ["RULE"]

_SAID: Final = {"<": "never", "<=": "never", ">": "always", ">=": "always", "==": "never"}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        for node in nodes(condition.tree) if condition is not None else ():
            if not isinstance(node, Call) or node.function not in _SAID:
                continue
            left, right = node.arguments
            day, operator = _day(right), node.function
            if day is None:
                left, day, operator = right, _day(left), _TURNED[node.function]
            is_now = isinstance(left, VariableRead) and left.name == "now"
            if is_now and day is not None and day < subject.options.today:
                yield Found(
                    found.policy,
                    found.path,
                    f"{shown(piece(found, node))} is {_SAID[operator]} true: that day is past",
                    "remove the comparison, or the rule",
                    part=(node.start, node.end),
                )


def _day(node: Node) -> date | None:
    """Return the day of a timestamp that is written out."""
    value: object = None
    if isinstance(node, Literal):
        value = node.value
    elif isinstance(node, Call) and node.function == "timestamp" and len(node.arguments) == 1:
        inner = node.arguments[0]
        value = inner.value if isinstance(inner, Literal) else None
    if isinstance(value, datetime):
        return value.date()
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


RULE: Final = LintRule("PE139", "past-date", "warning", __doc__ or "", _find)
