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
from policy_engine.lint.places import nodes, piece
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


_OPPOSITE: Final = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        for node in nodes(condition.tree) if condition is not None and "!" in condition.text else ():
            if not isinstance(node, Not) or condition is None:
                continue
            inner = node.operand
            text = condition.text
            if isinstance(inner, Not):
                better = text[inner.operand.start : inner.operand.end]
                start, end = node.start, inner.operand.end
                if text[start : inner.operand.start].strip("! ") or text[end:end + 1] == ")":
                    start = end = -1
            elif isinstance(inner, Call) and inner.function in _OPPOSITE:
                left, right = inner.arguments
                operator = text[left.end : right.start].strip(" ()")
                if operator != inner.function:
                    continue
                better = f"{text[left.start : left.end]} {_OPPOSITE[operator]} "
                better += text[right.start : right.end]
                start, end = node.start, node.end
                if text[start : left.start].replace(" ", "") != "!(":
                    start = end = -1
                elif text[right.end : right.end + 1] == ")" and end == right.end:
                    end += 1
            else:
                continue
            yield Found(
                found.policy,
                found.path,
                f'"{piece(found, node)}" is turned round twice',
                f"write `{better}`",
                part=(node.start, node.end),
                edits=()
                if start < 0
                else expression_edit(found.policy, found.path, text, start, end, better),
            )


RULE: Final = LintRule("PE307", "negated-comparison", "info", __doc__ or "", _find)
