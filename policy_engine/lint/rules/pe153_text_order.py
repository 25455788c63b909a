"""Numbers in the order of texts.

What it does:
    Reports `<`, `<=`, `>` and `>=` between a text and a written number or version, such as
    `args.version < "10"`.

Why:
    Texts are put in order letter by letter: "9" is above "10", and "1.9" above "1.10".

Fails:
    tools:
      deploy:
        args: {version: {type: string, maxLength: 20, pattern: '^[0-9.]+$'}}
        rules:
          - {id: old, when: 'args.version < "1.10"', effect: deny}

Passes:
    tools:
      deploy:
        args: {major: {type: integer, minimum: 1, maximum: 99}}
        rules:
          - {id: old, when: args.major < 10, effect: deny}

Fix:
    Declare a number, or convert it: `int(args.version) < 10`. Of a version, list what is allowed.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.cel import STRING
from policy_engine.cel.nodes import Call, Node
from policy_engine.lint.places import nodes, piece
from policy_engine.lint.proof.formula import constant
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]

_NUMBER: Final = re.compile(r"v?[+-]?[0-9]+(?:\.[0-9]+)*")
_ORDERED: Final = frozenset({"<", "<=", ">", ">="})


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        for node in nodes(condition.tree) if condition is not None else ():
            if isinstance(node, Call) and node.function in _ORDERED and _is_number_in_text(node):
                yield Found(
                    found.policy,
                    found.path,
                    f'"{piece(found, node)}" is decided letter by letter: "9" is above "10"',
                    "declare a number, or convert it with `int()` or `double()`",
                    part=(node.start, node.end),
                )


def _is_number_in_text(node: Call) -> bool:
    return any(
        isinstance(value, str) and _NUMBER.fullmatch(value) is not None and _is_text(other)
        for part, other in (node.arguments, node.arguments[::-1])
        for value in (constant(part),)
    )


def _is_text(node: Node) -> bool:
    return getattr(node, "type", None) == STRING


RULE: Final = LintRule("PE153", "text-order", "warning", __doc__ or "", _find)
