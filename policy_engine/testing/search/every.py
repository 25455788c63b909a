"""Requests of which a condition, and each part of it, comes to either outcome."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from policy_engine.cel.nodes import And, Bind, Conditional, Loop, Node, Not, Or, with_local
from policy_engine.testing.search.lists import Goal
from policy_engine.testing.search.sample import Sample
from policy_engine.testing.search.turning import Turning

__all__ = ["every_outcome"]

_FEW: Final = 2
_MANY: Final = 200
"""So many parts of a condition are gone into."""


def every_outcome(tree: Node, turning: Turning, seed: Sample) -> Iterator[Sample]:
    """Yield requests of which a condition and its parts come to true, and to false.

    Args:
        tree: The condition.
        turning: Turns it.
        seed: The request to begin with.
    """
    for node, goals, sample in islice(_parts(tree, [], turning, seed), _MANY):
        for to in (True, False):
            yield from islice(turning.together([*goals, (node, to)], sample), _FEW)


def _parts(
    node: Node, goals: list[Goal], turning: Turning, sample: Sample
) -> Iterator[tuple[Node, list[Goal], Sample]]:
    """Yield the parts of a condition that are asked, and what else must hold for them to be."""
    yield node, goals, sample
    match node:
        case And(terms=terms) | Or(terms=terms):
            for term in terms:
                yield from _parts(term, goals, turning, sample)
        case Not(operand=operand):
            yield from _parts(operand, goals, turning, sample)
        case Conditional(test=test, then=then, otherwise=otherwise):
            yield from _parts(test, goals, turning, sample)
            for part, to in ((then, True), (otherwise, False)):
                yield from _parts(part, [*goals, (test, to)], turning, sample)
        case Bind(variable=variable, value=value, body=body):
            yield from _parts(with_local(body, variable, value), goals, turning, sample)
        case Loop(kind="all" | "exists" as kind, variables=(_,)):
            # Where one element decides, there is one to be asked.
            for one in islice(turning.turned(node, sample, to=kind == "exists"), 1):
                yield from _parts(turning.lists.of_element(node, 0), goals, turning, one)
