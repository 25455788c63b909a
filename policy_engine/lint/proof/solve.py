"""Whether tests can hold together, and which values make them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from policy_engine.lint.proof.bounds import is_out_of_bounds
from policy_engine.lint.proof.formula import (
    Clause,
    Formula,
    Group,
    Term,
    TooManyError,
    conjunctions,
    opposite,
)
from policy_engine.lint.proof.prover import refutes
from policy_engine.lint.proof.schema import ELEMENT
from policy_engine.lint.proof.values import Values

__all__ = ["Base", "Case", "cases", "is_impossible"]

Base: TypeAlias = Callable[[Term], Values]
"""From what is read to the values that it may have before anything is tested."""


@dataclass(slots=True)
class Case:
    """One way in which a formula holds."""

    values: dict[Term, Values] = field(default_factory=dict)
    others: dict[tuple[object, ...], bool] = field(default_factory=dict)
    """Whether each part that is not understood holds."""
    members: dict[Term, dict[Any, bool]] = field(default_factory=dict)
    """List -> which elements are in it."""
    every: dict[Term, list[Formula]] = field(default_factory=dict)
    """List -> what holds of each of its elements."""
    some: dict[Term, list[Formula]] = field(default_factory=dict)
    """List -> what holds of one of its elements each."""


def cases(*wanted: Formula, base: Base) -> Iterator[Case]:
    """Go through the ways in which formulas may hold together.

    There is none only where they certainly cannot.

    Raises:
        TooManyError: They are too many to look at.
    """
    for clauses in conjunctions(Group(True, wanted)):
        case = _case(clauses, base)
        if case is not None and not (case.others and refutes(clauses, base)):
            yield case


def is_impossible(*wanted: Formula, base: Base) -> bool:
    """Whether formulas certainly cannot hold together."""
    try:
        return next(cases(*wanted, base=base), None) is None
    except TooManyError:
        return False


def _case(clauses: tuple[Clause, ...], base: Base) -> Case | None:
    case = Case()
    for clause in clauses:
        if not _take(case, clause, base):
            return None
    if any(values.is_empty for values in case.values.values()):
        return None
    return None if _no_list(case, base) else case


def _take(case: Case, clause: Clause, base: Base) -> bool:
    """Add a test to a case; whether it may hold with the others."""
    atom = clause.atom
    match atom.kind:
        case "other":
            known = case.others.setdefault(atom.key, clause.holds)
            return known is clause.holds and not is_out_of_bounds(clause, base)
        case "member":
            members = case.members.setdefault(atom.term, {})
            return members.setdefault(atom.operand, clause.holds) is clause.holds
        case "every":
            found = case.every if clause.holds else case.some
            wanted = atom.operand if clause.holds else opposite(atom.operand)
            found.setdefault(atom.term, []).append(wanted)
            return True
    values = case.values.get(atom.term)
    if values is None:
        values = case.values[atom.term] = base(atom.term)
        if atom.type != "list":
            values.take(atom.type)
    values.test(atom.kind, atom.operand, holds=clause.holds)
    return True


def _no_list(case: Case, base: Base) -> bool:
    """Whether there certainly is no list with such elements."""
    for term in dict.fromkeys((*case.members, *case.every, *case.some)):
        every = case.every.get(term, [])
        inside = [element for element, is_in in case.members.get(term, {}).items() if is_in]
        least, most = _sizes(case, term, base)
        if (inside or case.some.get(term)) and most < 1:
            return True
        element = base((*term, ELEMENT))
        if any(not element.admits(value) for value in inside):
            return True
        if any(is_impossible(*every, one, base=base) for one in case.some.get(term, [])):
            return True
        if every and least >= 1 and is_impossible(*every, base=base):
            return True
    return False


def _sizes(case: Case, term: Term, base: Base) -> tuple[float, float]:
    size = case.values.get(("size", *term)) or base(("size", *term))
    return size.lowest[0], size.highest[0]
