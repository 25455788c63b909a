"""Values for a case: which ones a request that shows something is made of."""

from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any, Final, TypeAlias

from policy_engine.lint.proof.formula import Term
from policy_engine.lint.proof.solve import Case
from policy_engine.lint.proof.values import Values

__all__ = ["ABSENT", "Choices", "ordered", "unlike"]

Choices: TypeAlias = Callable[[Case], Iterator[dict[Term, Any]]]
"""From a case to values that make it one."""
ABSENT: Final = object()
"""A value that is not there."""


def ordered(case: Case) -> Iterator[dict[Term, Any]]:
    """Go through all choices, the plainest first."""
    terms = list(case.values)
    options = [list(islice(_options(case.values[term]), 4)) for term in terms]
    if not all(options):
        return
    for chosen in product(*options):
        yield dict(zip(terms, chosen, strict=True))


def unlike(case: Case) -> Iterator[dict[Term, Any]]:
    """Go through a few choices of which each has another value of everything."""
    options = {term: list(islice(_options(values), 4)) for term, values in case.values.items()}
    if all(options.values()):
        for turn in range(max(map(len, options.values()), default=1)):
            yield {term: values[turn % len(values)] for term, values in options.items()}


def _options(values: Values) -> Iterator[Any]:
    if values.is_absent:
        yield ABSENT
    else:
        yield from values.candidates()
