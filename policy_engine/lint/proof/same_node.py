"""One part of a tree as a key: the same part, not one that looks alike."""

from policy_engine.cel.nodes import Node

__all__ = ["Same"]


class Same:
    """A node that is equal to itself alone."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def __hash__(self) -> int:
        return id(self.node)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.node is self.node
