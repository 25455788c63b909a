"""What the rooms of state ask of where things are kept: a mapping that knows what is oldest."""

from typing import Protocol, TypeVar

__all__ = ["Ordered"]

K = TypeVar("K")
V = TypeVar("V")


class Ordered(Protocol[K, V]):
    """An `OrderedDict`, or whatever keeps things as one does."""

    def get(self, key: K, /) -> V | None:
        """Return what is there."""

    def __getitem__(self, key: K, /) -> V: ...
    def __setitem__(self, key: K, value: V, /) -> None: ...
    def __delitem__(self, key: K, /) -> None: ...

    def __len__(self) -> int:
        """Return how many there are."""

    def setdefault(self, key: K, default: V, /) -> V:
        """Return what is there, or put the default there."""

    def move_to_end(self, key: K) -> None:
        """Make it the newest."""

    def popitem(self, last: bool = True) -> tuple[K, V]:  # noqa: FBT001, FBT002 - as it has it
        """Take out the newest, or the oldest."""
