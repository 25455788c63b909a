"""Parts that read few values, asked about every one of them.

What a part reads is put in the place where requests have it, and the part decides as it does at
run time. Only where everything that is read is certainly one of some values is anything ruled out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Any, Final, TypeAlias

from policy_engine.cel import DYN, Environment, OptionalType
from policy_engine.cel.expression import compile_tree, read_path
from policy_engine.cel.nodes import Node, children
from policy_engine.decision import Facts, Request
from policy_engine.lint.proof.formula import Clause, Term
from policy_engine.lint.proof.relations import says
from policy_engine.lint.proof.same_node import Same
from policy_engine.lint.proof.schema import ELEMENT
from policy_engine.lint.proof.values import Values

__all__ = ["function_of", "has_none"]

Base: TypeAlias = Callable[[Term], Values]
_MOST: Final = 512
"""So many choices of values are tried."""
_FEW: Final = 128
"""So many values of one place."""
_ROOTS: Final = frozenset({"args", "context"})
_ABSENT: Final = object()
_NOTHING: Final = Environment({})


def has_none(asked: Iterable[Clause], known: Mapping[Term, Values], base: Base) -> bool:
    """Whether certainly no values make some parts come out as they are wanted to.

    Args:
        asked: The parts.
        known: What values may be besides, by what is read.
        base: What they may be before anything is tested.
    """
    parts = [(Same(clause.node), says(clause)) for clause in asked if type(clause.node) is not Node]
    tried: set[Same] = set()
    for same, _ in parts:
        if same in tried:
            continue
        reads = set(_reads(same))
        joined = [one for one in parts if reads & set(_reads(one[0]))]
        tried.update(one for one, _ in joined)
        if _tried(joined, known, base):
            return True
    return len(parts) > 1 and _tried(parts, known, base)


def _tried(parts: list[tuple[Same, bool]], known: Mapping[Term, Values], base: Base) -> bool:
    places: dict[Term, bool] = {}
    for same, _ in parts:
        places.update(_reads(same))
    if not _are_apart(places):  # nor is there anything to try where nothing is read
        return False
    listed, count = [], 1
    for place, is_open in places.items():
        found = _listed(known.get(place) or base(place), is_open=is_open)
        count *= _MOST + 1 if found is None else len(found)
        if count > _MOST:
            return False
        listed.append(found or [])
    functions = [(function_of(same), wanted) for same, wanted in parts]
    return not any(
        all(function(request, Facts()) is wanted for function, wanted in functions)
        for request in _requests(list(places), listed)
    )


def _are_apart(places: Iterable[Term]) -> bool:
    """Whether every place can be filled by itself."""
    every = list(places)
    return bool(every) and all(
        len(place) > 1
        and place[0] in _ROOTS
        and ELEMENT not in place
        and not any(place != other and place == other[: len(place)] for other in every)
        for place in every
    )


def _listed(values: Values, *, is_open: bool) -> list[Any] | None:
    """Return everything that may stand in a place, where that is little."""
    found = [] if values.is_absent else values.listed(_FEW)
    if found is None or any(isinstance(value, list | dict) for value in found):
        return None
    if is_open:  # one and 1.0 differ where their type is not declared
        whole = [v for v in found if isinstance(v, int | float) and not isinstance(v, bool)]
        found = [*found, *(float(v) for v in whole if isinstance(v, int))]
        found.extend(int(v) for v in whole if isinstance(v, float) and v == int(v))
    if not all(box.present for box in values.boxes):
        found = [*found, _ABSENT, None]
    return found


def _requests(places: list[Term], listed: list[list[Any]]) -> Iterator[Request]:
    for chosen in product(*listed):
        roots: dict[str, dict[str, Any]] = {root: {} for root in _ROOTS}
        for place, value in zip(places, chosen, strict=True):
            holder: dict[str, Any] = roots[place[0]]
            for step in place[1:-1]:
                holder = holder.setdefault(step, {})
            if value is not _ABSENT:
                holder[place[-1]] = value
        yield Request(stage="tool_call", tool="", args=roots["args"], context=roots["context"])


@lru_cache(maxsize=1024)
def function_of(same: Same) -> Callable[..., object]:
    """Return what decides a part of a condition at run time, from a request and facts."""
    return compile_tree(same.node, _NOTHING, None)


@lru_cache(maxsize=4096)
def _reads(same: Same) -> dict[Term, bool]:
    """Return the places that a part reads, each with whether its type is not declared."""
    found: dict[Term, bool] = {}
    waiting = [same.node]
    while waiting:
        node = waiting.pop()
        path = read_path(node)
        if path is None:
            waiting.extend(children(node))
        else:
            kind = getattr(node, "type", DYN)
            kind = kind.inner if isinstance(kind, OptionalType) else kind
            found[path] = found.get(path, False) or kind == DYN
    return found
