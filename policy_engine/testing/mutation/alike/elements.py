"""What a macro asks of one element of a list."""

from policy_engine.cel.nodes import Local, Loop, Node, VariableRead, with_local
from policy_engine.lint.proof.formula import Term, term
from policy_engine.lint.proof.schema import ELEMENT

__all__ = ["of_any", "of_element"]


def of_element(node: Loop, path: Term) -> Node | None:
    """Return what a macro asks of an element, as a condition that reads it by its path.

    None where the macro goes over another list than the one that the path leads through.

    Args:
        node: The macro.
        path: The path of a value within an element of a list.
    """
    over = term(node.range)
    is_within = over is not None and path[: len(over) + 1] == (*over, ELEMENT)
    return of_any(node) if is_within else None


def of_any(node: Loop) -> Node | None:
    """Return what a macro asks of any element, as a condition that reads it by its path."""
    over = term(node.range)
    if over is None:
        return None
    match node.variables:
        case (Local(type=kind) as variable,) if node.condition is not None:
            name = ".".join((*over, ELEMENT))
            element = VariableRead(node.start, node.end, name, None, kind)
            return with_local(node.condition, variable, element)
    return None
