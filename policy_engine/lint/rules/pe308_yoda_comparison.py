"""A comparison with the constant in front.

What it does:
    Reports `100 < args.amount`. Only for the pedantic persona.

Why:
    People read what is asked about first.

Fails:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: large, when: 10 < args.amount, effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 50}}
        rules:
          - {id: large, when: args.amount > 10, effect: deny}

Fix:
    Turn it round; `--fix` does.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.cel.nodes import Call, Literal
from policy_engine.lint.edits import expression_edit
from policy_engine.lint.places import nodes, piece
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import shown

__all__ = ["RULE"]


_TURNED: Final = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        for node in nodes(condition.tree) if condition is not None else ():
            if not isinstance(node, Call) or node.function not in _TURNED or condition is None:
                continue
            left, right = node.arguments
            text = condition.text
            if not isinstance(left, Literal) or isinstance(right, Literal):
                continue
            if text[left.end : right.start].strip() != node.function:
                continue
            better = f"{text[right.start : right.end]} {_TURNED[node.function]} "
            better += text[left.start : left.end]
            yield Found(
                found.policy,
                found.path,
                f"{shown(piece(found, node))} has the constant in front",
                f"write `{better}`",
                part=(node.start, node.end),
                edits=expression_edit(
                    found.policy, found.path, text, left.start, right.end, better
                ),
            )


RULE: Final = LintRule("PE308", "yoda-comparison", "info", __doc__ or "", _find, persona="pedantic")
