"""Which generators stand still at a yield: what they hold must not hold for who consumes them.

A generator shares the context variables of whoever asks it for the next item. A session that it
entered would hold there too, and for the next generator that the same task goes through.
"""

import dis
import inspect
from functools import lru_cache
from itertools import pairwise
from types import CodeType, FrameType
from typing import Final

__all__ = ["generator_of", "is_suspended"]

_DRIVERS: Final = frozenset({"contextlib", "_pytest", "pytest_asyncio", "anyio"})
"""Who makes a context manager or a fixture of a generator: what it holds is meant to last."""
_AFTER_YIELD: Final = 1
"""What the argument of RESUME says after a yield: https://docs.python.org/3/library/dis.html"""


def generator_of(frame: FrameType) -> FrameType | None:
    """Return the frame if it is a generator's that is gone through, item by item.

    Args:
        frame: What entered something, perhaps through an exit stack.
    """
    while frame.f_globals.get("__name__") == "contextlib" and frame.f_back is not None:
        frame = frame.f_back
    if not frame.f_code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        return None
    return None if _room_of(frame.f_back) in _DRIVERS else frame


def _room_of(frame: FrameType | None) -> str:
    name = "" if frame is None else frame.f_globals.get("__name__", "")
    return str(name).partition(".")[0]


def is_suspended(frame: FrameType) -> bool:
    """Whether a generator has yielded and was not asked for more since.

    One that awaits something is under way: tasks and threads that it waits for are its own.
    """
    if frame.f_back is not None:
        return False
    if frame.f_code.co_flags & inspect.CO_GENERATOR:
        return True
    return frame.f_lasti in _yields(frame.f_code)


@lru_cache(maxsize=256)
def _yields(code: CodeType) -> frozenset[int]:
    """Return where an async generator stands when it has yielded: there, or at what follows."""
    steps = list(dis.get_instructions(code))
    return frozenset(
        offset
        for step, after in pairwise(steps)
        for offset in (step.offset, after.offset)
        if step.opname == "YIELD_VALUE"
        and after.opname == "RESUME"
        and (after.arg or 0) & 3 == _AFTER_YIELD
    )
