"""Drive a road to its end: waiting in threads, or on an event loop."""

from collections.abc import Generator, Mapping
from typing import Any, TypeAlias, TypeVar

from policy_engine.guard.gather import FactFunction, Question, gather, gather_async

__all__ = ["Steps", "drive", "drive_async"]

T = TypeVar("T")
Steps: TypeAlias = Generator[Question, Mapping[str, Any], T]
"""A road: it yields what it wants looked up, is sent the answers, and returns what it found."""


def drive(road: Steps[T], functions: Mapping[str, FactFunction]) -> T:
    """Return what a road ends with, looking facts up in threads."""
    try:
        question = next(road)
        while True:
            question = road.send(gather(question, functions))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    except BaseException:
        road.close()
        raise


async def drive_async(road: Steps[T], functions: Mapping[str, FactFunction]) -> T:
    """Return what a road ends with, without blocking the event loop."""
    try:
        question = next(road)
        while True:
            question = road.send(await gather_async(question, functions))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    except BaseException:
        # Where waiting was cancelled, the road learns of it now.
        road.close()
        raise
