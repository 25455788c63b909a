"""Drive a road to its end: waiting in threads, or on an event loop."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeVar

from policy_engine.decision import FactNeed
from policy_engine.guard.gather import FactFunction, gather, gather_async

__all__ = ["drive", "drive_async"]

T = TypeVar("T")


def drive(
    road: Generator[Sequence[FactNeed], Mapping[str, Any], T], functions: Mapping[str, FactFunction]
) -> T:
    """Return what a road ends with, looking facts up in threads."""
    try:
        needs = next(road)
        while True:
            needs = road.send(gather(needs, functions))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def drive_async(
    road: Generator[Sequence[FactNeed], Mapping[str, Any], T], functions: Mapping[str, FactFunction]
) -> T:
    """Return what a road ends with, without blocking the event loop."""
    try:
        needs = next(road)
        while True:
            needs = road.send(await gather_async(needs, functions))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
