"""A comparison with true or false.

What it does:
    Reports `args.force == true` and `args.force == false` of a value that is a boolean.

Why:
    `args.force` and `!args.force` say the same.

Fails:
    tools:
      deploy:
        args: {force: {type: boolean}}
        rules:
          - {id: forced, when: args.force == true, effect: deny}

Passes:
    tools:
      deploy:
        args: {force: {type: boolean}}
        rules:
          - {id: forced, when: args.force, effect: deny}

Fix:
    Leave the comparison out; `--fix` does.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.cel import BOOL
from policy_engine.cel.nodes import Call, Literal
from policy_engine.lint.edits import expression_edit
from policy_engine.lint.places import nodes, piece
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import shown

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        for node in nodes(condition.tree) if condition is not None else ():
            if not isinstance(node, Call) or node.function not in {"==", "!="} or condition is None:
                continue
            left, right = node.arguments
            if not isinstance(right, Literal) or not isinstance(right.value, bool):
                continue
            if getattr(left, "type", None) != BOOL or isinstance(left, Literal):
                continue
            text = condition.text
            plain = right.value is (node.function == "==")
            inner = text[left.start : left.end]
            simple = inner.replace(".", "").replace("_", "").isalnum()
            better = inner if plain else f"!{inner}"
            yield Found(
                found.policy,
                found.path,
                f"{shown(piece(found, node))} compares a boolean",
                f"write `{better}`",
                part=(node.start, node.end),
                edits=expression_edit(found.policy, found.path, text, left.start, right.end, better)
                if simple
                else (),
            )


RULE: Final = LintRule("PE309", "boolean-comparison", "info", __doc__ or "", _find)
