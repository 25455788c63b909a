"""Which optional fields are known to be present where has() guards them."""

from policy_engine.cel.nodes import (
    And,
    Conditional,
    Has,
    Index,
    Literal,
    Local,
    Node,
    Not,
    Or,
    Select,
    VariableRead,
)

__all__ = ["Present", "access_path", "join_present", "known_when"]

Path = tuple[str, ...]
Present = frozenset[Path]
_NOTHING: Present = frozenset()


def access_path(node: Node) -> Path | None:
    """Return the fields that a node reads, from a variable on; None for anything else."""
    match node:
        case VariableRead(name=name):
            return (name,)
        case Local(name=name, slot=slot):
            return (f"{name}#{slot}",)
        case Select(operand=operand, field=field, optional=False):
            return _below(operand, field)
        case Index(operand=operand, key=Literal(value=str(key)), optional=False):
            return _below(operand, key)
    return None


def _below(operand: Node, name: str) -> Path | None:
    path = access_path(operand)
    return None if path is None else (*path, name)


def join_present(first: Present | None, second: Present | None) -> Present | None:
    """Return what holds where both hold; None stands for what is never so."""
    return None if first is None or second is None else first | second


def _either(first: Present | None, second: Present | None) -> Present | None:
    """Return what holds where one of two holds."""
    if first is None:
        return second
    return first if second is None else first & second


def known_when(node: Node, *, outcome: bool) -> Present | None:
    """Return the fields that are present when a condition comes out so.

    Returns:
        None where it never comes out so.
    """
    match node:
        case Literal(value=bool(value)):
            return _NOTHING if value is outcome else None
        case Has(operand=operand, field=field) if outcome:
            path = _below(operand, field)
            return _NOTHING if path is None else frozenset({path})
        case Not(operand=operand):
            return known_when(operand, outcome=not outcome)
        case And(terms=terms):
            return _known_of_terms(terms, outcome=outcome, together=outcome)
        case Or(terms=terms):
            return _known_of_terms(terms, outcome=outcome, together=not outcome)
        case Conditional(test=test, then=then, otherwise=otherwise):
            return _either(
                join_present(known_when(test, outcome=True), known_when(then, outcome=outcome)),
                join_present(
                    known_when(test, outcome=False), known_when(otherwise, outcome=outcome)
                ),
            )
    return _NOTHING


def _known_of_terms(terms: tuple[Node, ...], *, outcome: bool, together: bool) -> Present | None:
    result = known_when(terms[0], outcome=outcome)
    for term in terms[1:]:
        known = known_when(term, outcome=outcome)
        result = join_present(result, known) if together else _either(result, known)
    return result
