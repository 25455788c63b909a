"""JSON Pointers (RFC 6901)."""

from collections.abc import Iterable

__all__ = ["escape", "pointer_of"]


def escape(step: str | int) -> str:
    """Write one key or position as a step of a pointer."""
    return str(step).replace("~", "~0").replace("/", "~1")


def pointer_of(steps: Iterable[str | int]) -> str:
    """Write the pointer that leads along keys and positions; none of them: the whole value."""
    return "".join([f"/{escape(step)}" for step in steps])
