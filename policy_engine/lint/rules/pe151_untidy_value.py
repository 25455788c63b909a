"""A listed value with a space at its end, or one that another differs from by case alone.

What it does:
    Reports values of `enum` and `const`, terms of text checks, and values that a condition
    compares with, that begin or end with white space; and two values of an `enum` that are equal
    but for their case, unless rules always ask for both.

Why:
    Nobody sees the space, and `"staging "` is not `staging`. Of `prod` and `Prod`, the rule about
    one misses the other.

Fails:
    tools:
      deploy: {args: {env: {enum: [prod, "staging "]}}}
    ---
    tools:
      deploy: {args: {env: {enum: [prod, Prod, staging]}}}

Passes:
    tools:
      deploy: {args: {env: {enum: [prod, staging]}}}

Fix:
    Write the value as the tool has it, once.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from policy_engine.cel.nodes import Node
from policy_engine.lint.pieces import every_clause
from policy_engine.lint.places import schemas
from policy_engine.lint.proof.formula import formula
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.policy.words import quoted

__all__ = ["RULE"]

_SHORT: Final = 3
"""Units and flags of fewer letters differ by case on purpose."""


def _find(subject: Subject) -> Iterator[Found]:
    compared = [*_compared(subject)]
    asked = [values for _, _, values in compared]
    for place in schemas(subject):
        for key in ("enum", "const"):
            value = place.schema.get(key)
            listed = value if key == "enum" and isinstance(value, list) else [value]
            for index, message, hint in (*_spaced(listed), *_twins(listed, asked)):
                steps = (key, index) if key == "enum" else (key,)
                yield Found(place.policy, (*place.path, *steps), message, hint)
    for found in subject.conditions:
        terms = getattr(found.placed.rule.check, "terms", None)
        for index, message, hint in _spaced(() if terms is None else terms.any):
            path = (*found.placed.path, "check", "terms", "any", index)
            yield Found(found.policy, path, message, hint)
    for found, node, values in compared:
        for _, message, hint in _spaced(values):
            part = (node.start, node.end)
            yield Found(found.policy, found.path, message, hint, part=part)


def _compared(subject: Subject) -> Iterator[tuple[PlacedCondition, Node, Sequence[Any]]]:
    """Go through the values that conditions compare with, each list by itself."""
    for found in subject.conditions:
        condition = found.compiled.condition
        for clause in every_clause(formula(condition.tree)) if condition is not None else ():
            if clause.atom.kind in {"==", "in", "member"}:
                operand = clause.atom.operand
                listed = list(operand) if clause.atom.kind == "in" else [operand]
                yield found, clause.node, listed


def _spaced(listed: Sequence[Any]) -> Iterator[tuple[int, str, str]]:
    """Go through values with white space round them: where each stands, what is odd, a hint."""
    for index, value in enumerate(listed):
        bare = value.strip() if isinstance(value, str) else ""
        if bare and bare != value:
            which = "begins" if value.endswith(bare) else "ends"
            yield index, f"{quoted(value)} {which} with white space", _SPACE


def _twins(listed: Sequence[Any], asked: Sequence[Sequence[Any]]) -> Iterator[tuple[int, str, str]]:
    """Go through values that equal another one but for their case, unless rules ask for both."""
    seen: dict[str, str] = {}
    for index, value in enumerate(listed):
        if not isinstance(value, str) or len(value) < _SHORT:
            continue
        known = seen.setdefault(value.casefold(), value)
        if known == value:
            continue
        together = [(known in values) + (value in values) for values in asked]
        if 1 in together or 2 not in together:
            yield index, f'{quoted(value)} differs from "{known}" by case alone', _CASE


_SPACE: Final = "take the space away: it is compared, too"
_CASE: Final = "write it as the tool has it, once"

RULE: Final = LintRule("PE151", "untidy-value", "warning", __doc__ or "", _find)
