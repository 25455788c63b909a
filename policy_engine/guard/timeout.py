"""Calling a tool for no longer than its policies permit."""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

__all__ = ["Allowance", "ToolTimeout"]

R = TypeVar("R")


class ToolTimeout(TimeoutError):  # noqa: N818 - as TimeoutError
    """A tool took longer than its policies permit."""


class Allowance:
    """How long a tool may still take; a generator uses it up step by step.

    Args:
        seconds: All of it.
    """

    __slots__ = ("_left", "_seconds", "is_over")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._left = seconds
        self.is_over = False
        """Whether a step was not waited for any longer."""

    def run(self, function: Callable[..., R], /, *args: Any, **kwargs: Any) -> R:
        """Call a function, in a thread where it may take only so long: then it runs on, unheard.

        Raises:
            ToolTimeout: It took longer.
        """
        box: list[R] = []
        errors: list[BaseException] = []
        context = contextvars.copy_context()

        def step() -> None:
            try:
                box.append(context.run(function, *args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it is raised where the caller waits
                errors.append(error)

        name = getattr(function, "__name__", "tool")
        thread = threading.Thread(target=step, name=name, daemon=True)
        started = monotonic()
        try:
            thread.start()
            thread.join(self._left)
            self._left = max(0.0, self._left - (monotonic() - started))
        except BaseException:
            # A signal's handler raised while this waited: the function may run on.
            self.is_over = True
            raise
        if errors:
            raise errors[0]
        if box:
            return box[0]
        self.is_over = True
        raise ToolTimeout(
            f"the tool took longer than {self._seconds:g} s; whether it had an effect is unknown"
        )

    async def wait(self, running: Awaitable[R]) -> R:
        """Await a step, and cancel it where it takes longer.

        What it does to clean up has no time limit: it is waited for, as is the `aclose` of an
        async generator after this.

        Raises:
            ToolTimeout: It took longer.
        """
        started = monotonic()
        try:
            async with asyncio.timeout(self._left) as limit:
                return await running
        except TimeoutError as error:
            if not limit.expired():
                raise
            self.is_over = True
            raise ToolTimeout(f"the tool took longer than {self._seconds:g} s") from error
        finally:
            self._left = max(0.0, self._left - (monotonic() - started))
