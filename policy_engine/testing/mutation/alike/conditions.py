"""Proves of a condition with another part that it comes to the same of every call."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from policy_engine.cel.nodes import And, Call, Has, Index, Literal, Node
from policy_engine.compiler import CompiledRule
from policy_engine.lint.proof.formula import Formula, Term, constant, formula, term
from policy_engine.policy import ToolBlock
from policy_engine.testing.mutation.alike.pairs import reads
from policy_engine.testing.mutation.alike.values import never_both
from policy_engine.testing.search.fitting import fits

__all__ = ["of_condition"]

_COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def of_condition(
    old: CompiledRule, new: Node, entry: ToolBlock | None, declared: Iterable[tuple[Term, Any]]
) -> str | None:
    """Say why a condition comes to the same as another; None where that is not proved.

    Args:
        old: The rule.
        new: What its condition is in a mutant.
        entry: The entry whose calls are judged, where it is that of one tool.
        declared: What the policy declares of the rest, each with where it stands.
    """
    assert old.condition is not None  # noqa: S101 - only conditions have trees
    tree = old.condition.tree
    match tree:
        case And(terms=terms) if _is_counted(terms, new):
            return "a tool that was not called was called no times"
    pair = _differing(tree, new)
    if pair is None or not old.enforced:
        return None
    args = {} if entry is None else entry.args or {}
    fitting = [fits(("args", name), schema) for name, schema in args.items() if _is_there(schema)]
    # What does not fit what is declared of it leaves the whole condition untold, before and after.
    fitting.extend(fits(path, schema) for path, schema in declared if reads(old, path))
    if _alike(*pair, fitting):
        return "nothing that fits what is declared of it is compared otherwise"
    return None


def _is_counted(terms: tuple[Node, ...], new: Node) -> bool:
    """Whether all that is gone is the question whether a tool was called at all.

    The rest says no of a tool that was called no times, and reads what the question reads.
    """
    left = new.terms if isinstance(new, And) else (new,)
    gone = [one for one in terms if one not in left]
    if len(left) + 1 != len(terms) or len(gone) != 1 or not isinstance(gone[0], Has):
        return False
    above = term(gone[0].operand)
    if above != ("session", "calls"):
        return False
    path = (*above, gone[0].field)
    return any(_says_no(one, path) for one in left)


def _says_no(node: Node, path: tuple[str, ...]) -> bool:
    """Whether a comparison is false of nothing."""
    if not isinstance(node, Call) or node.function not in _COMPARED or len(node.arguments) != 2:
        return False
    left, right = node.arguments
    for mine, its, said in ((left, right, node.function), (right, left, _FLIPPED[node.function])):
        bound = constant(its)
        if term(mine) == path and isinstance(bound, int | float):
            return not _COMPARED[said](0, bound)
    return False


def _differing(old: Any, new: Any) -> tuple[Call, Call] | None:
    """Return the one comparison by which two conditions differ."""
    found = list(_pairs(old, new))
    if len(found) != 1 or found[0] is None:
        return None
    return found[0]


def _pairs(old: Any, new: Any) -> Iterator[tuple[Call, Call] | None]:
    if old == new:
        return
    if type(old) is not type(new) or not isinstance(old, Node):
        yield None
    elif isinstance(old, Call) and old.function in _COMPARED and old.function == new.function:
        yield old, new
    else:
        for one in fields(old):
            mine, its = getattr(old, one.name), getattr(new, one.name)
            if isinstance(mine, tuple) and isinstance(its, tuple) and len(mine) == len(its):
                for a, b in zip(mine, its, strict=True):
                    yield from _pairs(a, b)
            elif mine != its:
                yield from _pairs(mine, its)


def _alike(old: Call, new: Call, fitting: Sequence[Formula]) -> bool:
    """Whether two comparisons say the same of each call that fits."""
    ways = list(_ways(old, new))
    return bool(ways) and all(
        never_both(*fitting, formula(mine, holds=to), formula(its, holds=not to))
        for mine, its in ways
        for to in (True, False)
    )


def _is_there(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("optional") is not True


def _ways(old: Call, new: Call) -> Iterator[tuple[Call, Call]]:
    """Yield both with each of the constants that stand there, where a key chooses one."""
    for at in (0, 1):
        mine, its = old.arguments[at], new.arguments[at]
        if old.arguments[1 - at] != new.arguments[1 - at]:
            continue
        match mine, its:
            case (Literal(), Literal()):
                yield old, new
            case (Index(operand=before, key=key), Index(operand=after, key=other)):
                held, now = constant(before), constant(after)
                if key != other or not isinstance(held, Mapping) or not isinstance(now, Mapping):
                    return
                if held.keys() == now.keys():
                    for name in held:
                        yield _with(old, at, held[name]), _with(new, at, now[name])


def _with(node: Call, at: int, value: Any) -> Call:
    read = node.arguments[at]
    made = Literal(read.start, read.end, value, read.type)  # type: ignore[attr-defined]
    arguments = (made, node.arguments[1]) if at == 0 else (node.arguments[0], made)
    return Call(node.start, node.end, node.function, arguments, None, node.type)
