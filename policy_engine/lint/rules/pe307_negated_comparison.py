"""A comparison that is turned round twice.

What it does:
    Reports `!(a == b)` and the like, and `!!a`.

Why:
    `a != b` reads at once.

Fails:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: large, when: '!(args.amount <= 10)', effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: large, when: args.amount > 10, effect: deny}

Fix:
    Turn the operator; `--fix` does.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.cel.nodes import Call, Not
from policy_engine.lint.edits import expression_edit
from policy_engine.lint.places import nodes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import shown

__all__ = ["RULE"]


_OPPOSITE: Final = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None or "!" not in condition.text:
            continue
        for node in nodes(condition.tree):
            turned = _turned(condition.text, node) if isinstance(node, Not) else None
            if turned is None:
                continue
            start, end, better = turned
            yield Found(
                found.policy,
                found.path,
                f"{shown(' '.join(condition.text[start:end].split()))} is turned round twice",
                f"write `{better}`",
                part=(start, end),
                edits=expression_edit(found.policy, found.path, condition.text, start, end, better),
            )


def _turned(text: str, node: Not) -> tuple[int, int, str] | None:
    """Return the ends of what is turned round, and what to write for it."""
    inner = node.operand
    if isinstance(inner, Not):
        operand = inner.operand
        plain = text[node.start : operand.start].replace(" ", "") == "!!"
        better = text[operand.start : operand.end]
        simple = better.replace(".", "").replace("_", "").isalnum()
        return (node.start, operand.end, better) if plain and simple else None
    if not isinstance(inner, Call) or inner.function not in _OPPOSITE:
        return None
    left, right = inner.arguments
    if text[left.end : right.start].strip() != inner.function:
        return None
    if text[node.start : left.start].replace(" ", "") != "!(":
        return None
    closing = text.find(")", right.end)
    if closing < 0 or text[right.end : closing].strip():
        return None
    better = f"{text[left.start : left.end]} {_OPPOSITE[inner.function]} "
    return node.start, closing + 1, better + text[right.start : right.end]


RULE: Final = LintRule("PE307", "negated-comparison", "info", __doc__ or "", _find)
