"""What stands for a value that is not there, where it decides what a comparison says."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from policy_engine.cel.nodes import Call, ListItems, Literal, Node
from policy_engine.testing.mutation.wording import quoted
from policy_engine.testing.search.sample import OTHER

__all__ = ["absent"]

_COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda one, values: one in values,
}


def absent(node: Call, *, matches: bool) -> Iterator[tuple[Node, str]]:
    """Let what is not there count as a value of which a rule does not match any more."""
    asked = _COMPARED[node.function]
    first, second = node.arguments
    for at, (side, other) in enumerate(((first, second), (second, first))):
        written, values = _written(side), _values(other)
        if written is None or not values or (at == 1 and node.function == "in"):
            continue

        def said(value: Any, at: int = at, values: Sequence[Any] = values) -> bool:
            beside = values if node.function == "in" else values[0]
            return asked(beside, value) if at else asked(value, beside)

        call, before = written
        if said(before.value) is not matches:
            continue
        after = next((one for one in _near(values) if said(one) is not matches), None)
        if after is not None:
            changed = replace(call, arguments=(call.arguments[0], replace(before, value=after)))
            arguments = (first, changed) if at else (changed, second)
            told = f"what is not there counts as {quoted(after)}, not as {quoted(before.value)}"
            yield replace(node, arguments=arguments), told


def _written(node: Node) -> tuple[Call, Literal] | None:
    match node:
        case Call(function="orValue", arguments=(_, Literal() as written)) as call:
            return (call, written) if _is_plain(written.value) else None
    return None


def _values(node: Node) -> list[Any]:
    """Return what is written out on the other side; nothing where that is not plain."""
    items = node.items if isinstance(node, ListItems) else (node,)
    values = [one.value for one in items if isinstance(one, Literal) and _is_plain(one.value)]
    return values if len(values) == len(items) else []


def _near(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        yield value
        yield from (OTHER,) if isinstance(value, str) else (value + 1, value - 1)


def _is_plain(value: object) -> bool:
    return type(value) in (str, int, float)
