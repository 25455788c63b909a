"""What the parts of conditions come to, for single requests."""

from collections.abc import Callable
from typing import Any, Final

from policy_engine.cel import BOOL, CANNOT_TELL, Environment, Variable
from policy_engine.cel.expression import compile_tree
from policy_engine.cel.nodes import Node
from policy_engine.testing.search.sample import Sample

__all__ = ["Evaluated"]

_PLACES: Final = Environment(
    {"request": Variable(BOOL, ("request",)), "facts": Variable(BOOL, ("facts",))}
)
"""What the function of a condition takes."""
_MOST: Final = 4_096


class Evaluated:
    """Asks parts of conditions; each is compiled once."""

    def __init__(self) -> None:
        # A node is kept with its function, so that nothing else gets its id.
        self._known: dict[int, tuple[Node, Callable[..., object]]] = {}

    def value(self, node: Node, sample: Sample) -> Any:
        """Return what a part of a condition comes to, or `CANNOT_TELL`."""
        known = self._known.get(id(node))
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[id(node)] = node, compile_tree(node, _PLACES, _as_is)
        return known[1](sample.request, sample.facts)

    def is_told(self, node: Node, sample: Sample) -> bool:
        """Whether a part of a condition comes to anything."""
        return self.value(node, sample) is not CANNOT_TELL

    def comes(self, node: Node, sample: Sample, *, to: bool) -> bool:
        """Whether a condition comes to an outcome."""
        return self.value(node, sample) is to


def _as_is(value: object) -> object:
    return value
