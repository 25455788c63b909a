"""Whether tests can hold together, and which values make them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias

from policy_engine.cel.nodes import Call, Node
from policy_engine.lint.proof.bounds import is_out_of_bounds
from policy_engine.lint.proof.box import same
from policy_engine.lint.proof.formula import (
    Atom,
    Clause,
    Formula,
    Group,
    Term,
    TooManyError,
    conjunctions,
    constant,
    opposite,
    term,
)
from policy_engine.lint.proof.links import are_torn
from policy_engine.lint.proof.prover import refutes
from policy_engine.lint.proof.relations import order_of, relation, says
from policy_engine.lint.proof.schema import ELEMENT
from policy_engine.lint.proof.tried import has_none
from policy_engine.lint.proof.values import Values

_NOWHERE: Final = Node(0, 0)
__all__ = ["HELD", "ROLES", "Base", "Case", "cases", "is_impossible"]

ROLES: Final = ("principal", "roles")
HELD: Final = ("held", *ROLES)
"""A role that whoever asks certainly has, where there is one."""

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
    equal: list[tuple[Term, Term]] = field(default_factory=list)
    """Pairs of values that equal each other."""
    results: dict[Term, Values] = field(default_factory=dict)
    """Calculation, or two sides -> what its result, or their order, may be."""


def cases(*wanted: Formula, base: Base) -> Iterator[Case]:
    """Go through the ways in which formulas may hold together.

    There is none only where they certainly cannot.

    Raises:
        TooManyError: They are too many to look at.
    """
    for clauses in conjunctions(Group(True, wanted)):
        case = _case(clauses, base)
        if case is not None and not (case.others and _is_refuted(case, clauses, base)):
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
    if any(values.is_empty for values in case.results.values()):
        return None
    if any(_share_nothing(one, other, case, base) for one, other in case.equal):
        return None
    return None if are_torn(case.values, base) or is_no_list(case, base) else case


def _share_nothing(one: Term, other: Term, case: Case, base: Base) -> bool:
    """Whether two equal values certainly cannot be so."""
    ours, theirs = (case.values.get(term) or base(term) for term in (one, other))
    return all(a.meet(b).is_empty for a in ours.boxes for b in theirs.boxes)


def _is_refuted(case: Case, clauses: tuple[Clause, ...], base: Base) -> bool:
    """Whether the parts that are not understood certainly do not come out so."""
    others = [clause for clause in clauses if clause.atom.kind == "other"]
    return has_none(others, case.values, base) or refutes(clauses, base)


def _take(case: Case, clause: Clause, base: Base) -> bool:
    """Add a test to a case; whether it may hold with the others."""
    atom = clause.atom
    match atom.kind:
        case "other":
            return _take_other(case, clause, base)
        case "member":
            return _take_member(case, atom.term, atom.operand, holds=clause.holds)
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


def _take_member(case: Case, listed: Term, value: Any, *, holds: bool) -> bool:
    members = case.members.setdefault(listed, {})
    if any(one == value and not same(one, value) for one in members):
        return True  # 1 and true, which one place cannot hold apart
    return members.setdefault(value, holds) is holds


def _take_list(case: Case, listed: Term, values: list[Any], base: Base) -> bool:
    """Add that a list is one that is written out; whether it may be."""
    if not all(isinstance(value, str | int | float) for value in values):
        return True
    size = Clause(Atom(("size", *listed), "==", len(values), "integer"), True, _NOWHERE)
    inner = Clause(Atom((*listed, ELEMENT), "in", tuple(values)), True, _NOWHERE)
    case.every.setdefault(listed, []).append(inner)
    return _take(case, size, base) and all(
        _take_member(case, listed, value, holds=True) for value in values
    )


def _take_other(case: Case, clause: Clause, base: Base) -> bool:
    known = case.others.setdefault(clause.atom.key, clause.holds)
    if known is not clause.holds or is_out_of_bounds(clause, base):
        return False
    match clause.node:
        case Call(function="==" | "!=", arguments=(left, right)) if says(clause) is (
            clause.node.function == "=="
        ):
            one, other = term(left), term(right)
            if one is not None and other is not None:
                case.equal.append((one, other))
            listed, values = (one, constant(right)) if other is None else (other, constant(left))
            if listed is not None and isinstance(values, list):
                return _take_list(case, listed, values, base)
    said = relation(clause)
    if said is not None:
        atom, holds = said
        values = case.results.get(atom.term)
        if values is None:
            values = case.results[atom.term] = order_of(atom.term)
            values.take(atom.type)
        values.test(atom.kind, atom.operand, holds=holds)
    return True


def is_no_list(case: Case, base: Base) -> bool:
    """Whether there certainly is no list with such elements."""
    terms = dict.fromkeys((*case.members, *case.every, *case.some))
    return any(_is_no_list(case, term, base) for term in terms)


def _is_no_list(case: Case, term: Term, base: Base) -> bool:
    inner = (*term, ELEMENT)
    members, some = case.members.get(term, {}), case.some.get(term, [])
    inside = [element for element, is_in in members.items() if is_in]
    outside = tuple(element for element, is_in in members.items() if not is_in)
    least, most = _sizes(case, term, base)
    if most < max(len(inside), 1 if some else 0) or least > most:
        return True
    if (values := case.values.get(term)) is not None and values.is_absent:
        return True
    every: list[Formula] = [*case.every.get(term, [])]
    if outside:
        every.append(Clause(Atom(inner, "in", outside), False, _NOWHERE))
    element = base(inner)
    if any(not element.admits(value) for value in inside):
        return True
    known: list[Formula] = [Clause(Atom(inner, "==", one), True, _NOWHERE) for one in inside]
    held = partial(_held, base) if term == ROLES and least >= 1 else base
    if most == 1 and (known or some or least == 1):
        return is_impossible(*every, *known, *some, base=held)
    if any(is_impossible(*every, one, base=base) for one in (*(known if every else ()), *some)):
        return True
    return bool(every) and least >= 1 and is_impossible(*every, base=held)


def _held(base: Base, term: Term) -> Values:
    """Return what the role may be which whoever asks certainly has."""
    return base(HELD if term == (*ROLES, ELEMENT) else term)


def _sizes(case: Case, term: Term, base: Base) -> tuple[float, float]:
    size = case.values.get(("size", *term)) or base(("size", *term))
    return size.lowest[0], size.highest[0]
