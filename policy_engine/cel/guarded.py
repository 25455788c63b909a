"""Reads of optional fields that no has() guards, in a tree that is made rather than written."""

from collections.abc import Iterator

from policy_engine.cel.nodes import And, Conditional, Loop, Node, Or, Select, children
from policy_engine.cel.presence import Present, access_path, join_present, known_when
from policy_engine.cel.types import RecordType

__all__ = ["unguarded"]


def unguarded(tree: Node, known: Present | None = frozenset()) -> Iterator[Select]:
    """Yield the reads of optional fields that are not asked for before.

    Args:
        tree: A tree of nodes that were checked, as the checker walks it.
        known: The fields that are known to be present; None where the tree is never run.
    """
    if isinstance(tree, Select) and known is not None and _is_optional(tree):
        path = access_path(tree)
        if path is None or path not in known:
            yield tree
    for part, more in _parts(tree):
        yield from unguarded(part, join_present(known, more))


def _is_optional(read: Select) -> bool:
    kind = getattr(read.operand, "type", None)
    field = kind.fields.get(read.field) if isinstance(kind, RecordType) else None
    return field is not None and field.optional and not read.optional


def _parts(tree: Node) -> Iterator[tuple[Node, Present | None]]:
    """Yield the parts of a node, each with what is known to be present where it is run."""
    nothing: Present = frozenset()
    match tree:
        case And(terms=terms) | Or(terms=terms):
            known: Present | None = nothing
            for term in terms:
                yield term, known
                known = join_present(known, known_when(term, outcome=isinstance(tree, And)))
        case Conditional(test=test, then=then, otherwise=otherwise):
            yield test, nothing
            yield then, known_when(test, outcome=True)
            yield otherwise, known_when(test, outcome=False)
        case Loop(range=over, condition=Node() as condition, result=Node() as result):
            yield over, nothing
            yield condition, nothing
            yield result, known_when(condition, outcome=True)
        case _:
            for child in children(tree):
                yield child, nothing
