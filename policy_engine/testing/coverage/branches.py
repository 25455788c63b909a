"""The branches of a condition: each term of `&&` and `||`, each part of `? :`."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from policy_engine.cel import BOOL, Condition, Environment, Variable
from policy_engine.cel.expression import compile_tree
from policy_engine.cel.nodes import (
    And,
    Bind,
    Conditional,
    Loop,
    Node,
    Not,
    OptionalMap,
    Or,
    children,
)
from policy_engine.compiler import CompiledRule
from policy_engine.decision import Facts, Request
from policy_engine.testing.coverage.item import Outcome

__all__ = ["Branch", "branches"]

_PLACES = Environment(
    {"request": Variable(BOOL, ("request",)), "facts": Variable(BOOL, ("facts",))}
)
"""What the function of a condition takes."""
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Branch:
    """One branch of a condition, which can be asked alone."""

    __slots__ = ("_function", "_guards", "end", "start", "text")

    def __init__(self, rule: CompiledRule, condition: Condition, node: Node) -> None:
        read = set(_WORD.findall(condition.text[node.start : node.end]))
        self._guards = tuple(guard for guard in rule.guards if guard.name in read)
        self.start = node.start
        self.end = node.end
        self.text = condition.text[node.start : node.end]
        self._function: Callable[..., object] = compile_tree(node, _PLACES, None)

    def outcome(self, request: Request, facts: Facts) -> Outcome:
        """Tell what the branch says of a request."""
        held = all(guard.holds(request, facts) for guard in self._guards)
        verdict = self._function(request, facts) if held else None
        if verdict is None:
            return Outcome.CANNOT_TELL
        return Outcome.MATCH if verdict else Outcome.NO_MATCH


def branches(rule: CompiledRule) -> Iterator[Branch]:
    """Yield the branches of a rule's condition; a condition of one term has none of its own.

    What stands in a macro, such as `all()`, is judged for each element and is no branch.
    """
    condition = rule.condition
    if condition is None:
        return
    leaves = list(_leaves(condition.tree))
    if leaves != [condition.tree]:
        yield from (Branch(rule, condition, node) for node in leaves)


def _leaves(node: Node) -> Iterator[Node]:
    match node:
        case And(terms=terms) | Or(terms=terms):
            for term in terms:
                yield from _leaves(term)
        case Not(operand=operand):
            yield from _leaves(operand)
        case Conditional(test=test, then=then, otherwise=otherwise) if node.type == BOOL:
            for part in (test, then, otherwise):
                yield from _leaves(part)
        case _:
            yield node
            yield from _inner(node)


def _inner(node: Node) -> Iterator[Node]:
    """Yield the tests of conditionals that choose a value."""
    if isinstance(node, Loop | Bind | OptionalMap):
        return
    for child in children(node):
        if isinstance(child, Conditional):
            yield from _leaves(child.test)
        yield from _inner(child)
