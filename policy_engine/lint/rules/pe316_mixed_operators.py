"""A condition that joins by `&&` and `||` without brackets.

What it does:
    Reports a term of `||` that is itself joined by `&&` and has no brackets round it:
    `a || b && c`.

Why:
    `&&` binds closer. Half of the readers think otherwise, and so did half of the writers.

Fails:
    tools:
      deploy:
        args: {env: {enum: [dev, test, prod]}, force: {type: boolean}}
        rules:
          - {id: r, when: 'args.env == "prod" || args.env == "dev" && args.force', effect: deny}

Passes:
    tools:
      deploy:
        args: {env: {enum: [dev, test, prod]}, force: {type: boolean}}
        rules:
          - {id: r, when: 'args.env == "prod" || (args.env == "dev" && args.force)', effect: deny}

Fix:
    Put brackets round what belongs together.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.cel.nodes import And, Or
from policy_engine.lint.edits import expression_edit
from policy_engine.lint.places import nodes, piece
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.words import shown

__all__ = ["RULE"]

_TEXT: Final = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None:
            continue
        text = condition.text
        bare = _TEXT.sub(lambda match: "x" * len(match[0]), text)
        for node in nodes(condition.tree):
            for term in node.terms if isinstance(node, Or) else ():
                if not isinstance(term, And) or _is_bracketed(bare, term.start, term.end):
                    continue
                inner = text[term.start : term.end]
                is_whole = _unmatched(bare[term.start : term.end]) == (0, 0)
                yield Found(
                    found.policy,
                    found.path,
                    f"{shown(piece(found, term))} has no brackets beside `||`",
                    "put brackets round what belongs together",
                    part=(term.start, term.end),
                    edits=expression_edit(
                        found.policy, found.path, text, term.start, term.end, f"({inner})"
                    )
                    if is_whole
                    else (),
                )


def _is_bracketed(text: str, start: int, end: int) -> bool:
    """Whether a part stands in brackets of its own, beside those of its first and last term."""
    opened, closed = _unmatched(text[start:end])
    before, after = text[:start].rstrip(), text[end:].lstrip()
    for _ in range(opened):
        before = before.removesuffix("(").rstrip()
    for _ in range(closed):
        after = after.removeprefix(")").lstrip()
    return before.endswith("(") and after.startswith(")")


def _unmatched(text: str) -> tuple[int, int]:
    """Return how many brackets were opened before a piece, and how many are left open in it."""
    before = depth = 0
    for char in text:
        if char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif char == ")":
            before += 1
    return before, depth


RULE: Final = LintRule("PE316", "mixed-operators", "info", __doc__ or "", _find)
