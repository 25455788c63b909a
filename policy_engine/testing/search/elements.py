"""What macros ask of single elements, and values for what a condition reads and nothing gives."""

from itertools import islice
from typing import Final

from policy_engine.cel.nodes import (
    Bind,
    Call,
    Has,
    Literal,
    Loop,
    Node,
    OptionalMap,
    children,
)
from policy_engine.testing.search.declared import Declared
from policy_engine.testing.search.evaluated import Evaluated
from policy_engine.testing.search.places import at_place, place_of
from policy_engine.testing.search.reaching import Reaching
from policy_engine.testing.search.sample import Sample

__all__ = ["Filled", "literal"]

_PLAIN: Final = {"timestamp": "2026-01-05T10:00:00Z", "duration": "60s"}


class Filled:
    """Lets conditions be told by giving what they read.

    Args:
        declared: What values must fit.
        asked: Asks parts of conditions.
        reaching: Puts values where they are read.
    """

    def __init__(self, declared: Declared, asked: Evaluated, reaching: Reaching) -> None:
        self._declared = declared
        self._asked = asked
        self._reaching = reaching

    def of(self, node: Node, sample: Sample) -> Sample:
        """Return a sample of which a part of a condition can probably be told."""
        if self._asked.is_told(node, sample):
            return sample
        place = place_of(node)
        if place is not None:
            found = self._reaching.placed(place, self._declared.plain(place), sample)
            return next(found, sample)
        if isinstance(node, Call) and node.function in _PLAIN and len(node.arguments) == 1:
            readable = self._readable(node, node.arguments[0], sample)
            if readable is not None:
                return readable
        for child in _read_by(node):
            sample = self.of(child, sample)
        return sample

    def _readable(self, node: Call, inner: Node, sample: Sample) -> Sample | None:
        """Let a text be one that a point in time, or a span of it, is read from."""
        place = place_of(inner)
        if place is None:
            return None
        for text in (at_place(sample, place), self._declared.plain(place), _PLAIN[node.function]):
            for one in islice(self._reaching.placed(place, text, sample), 1):
                if self._asked.is_told(node, one):
                    return one
        return None


def _read_by(node: Node) -> tuple[Node, ...]:
    """Return what must be told for a part of a condition to be: nothing below a variable."""
    match node:
        case Loop(range=over):
            return (over,)
        case Bind(value=value):
            return (value,)
        case OptionalMap(operand=operand):
            return (operand,)
        case Has():
            return ()
    return children(node)


def literal(over: Node, value: object) -> Literal:
    """Return an element of a constant list as a node."""
    kind = getattr(getattr(over, "type", None), "element", getattr(over, "type", None))
    return Literal(over.start, over.end, value, kind)  # type: ignore[arg-type]
