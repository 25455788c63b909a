"""Look up the facts that a decision needs: all at once, each with its own time limit."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from policy_engine.decision import FactNeed
from policy_engine.guard.values import UnjudgeableError, snapshot

__all__ = ["FactFunction", "gather", "gather_async"]

FactFunction: TypeAlias = Callable[..., Any]

_LOG: Final = logging.getLogger("policy_engine")
_MAX_HANGING: Final = 64
"""A lookup that outlives its time limit keeps its thread; beyond this many, none is started."""
_ABSENT: Final = object()
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class _Hanging:
    """How many lookups run on past their time limit."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def add(self, amount: int) -> None:
        """Count one more, or one less."""
        with self._lock:
            self.count += amount


_HANGING: Final = _Hanging()


def gather(needs: Sequence[FactNeed], functions: Mapping[str, FactFunction]) -> Mapping[str, Any]:
    """Look facts up in threads; one that fails or is late is left out: it cannot be told."""
    if not needs:
        return _NOTHING
    started = [(need, _start(need, functions)) for need in needs]
    found = {}
    for need, wait in started:
        answer = wait()
        if answer is not _ABSENT:
            found[need.name] = answer
    return found


async def gather_async(
    needs: Sequence[FactNeed], functions: Mapping[str, FactFunction]
) -> Mapping[str, Any]:
    """Look facts up concurrently without blocking the event loop, likewise."""
    if not needs:
        return _NOTHING
    answers = await asyncio.gather(*(_answer_async(need, functions) for need in needs))
    pairs = zip(needs, answers, strict=True)
    return {need.name: answer for need, answer in pairs if answer is not _ABSENT}


def _start(need: FactNeed, functions: Mapping[str, FactFunction]) -> Callable[[], object]:
    """Start one lookup, and return how to wait for it."""
    function = _usable(need, functions)
    if function is None or _HANGING.count >= _MAX_HANGING:
        return lambda: _ABSENT
    box: list[object] = []
    done = threading.Event()
    late = threading.Event()
    ended = threading.Lock()
    context = contextvars.copy_context()

    def look_up() -> None:
        try:
            box.append(context.run(_call, function, need))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the fact cannot be told
            _failed(need, error)
        finally:
            with ended:
                done.set()
                if late.is_set():
                    _HANGING.add(-1)

    threading.Thread(target=look_up, name=f"fact {need.name}", daemon=True).start()

    def wait() -> object:
        if not done.wait(need.timeout):
            with ended:
                if not done.is_set():
                    _HANGING.add(1)
                    late.set()
            _LOG.warning("the fact %r took longer than %g s", need.name, need.timeout)
            return _ABSENT
        return box[0] if box else _ABSENT

    return wait


def _call(function: FactFunction, need: FactNeed) -> object:
    answer = function(*(need.arguments or ()))
    if inspect.isawaitable(answer):
        answer = asyncio.run(_bounded(answer, need.timeout))
    return snapshot(answer)[0]


async def _bounded(answer: Awaitable[Any], timeout: float) -> Any:  # noqa: ASYNC109 - passed on
    return await asyncio.wait_for(answer, timeout)


async def _answer_async(need: FactNeed, functions: Mapping[str, FactFunction]) -> object:
    function = _usable(need, functions)
    if function is None:
        return _ABSENT
    if not inspect.iscoroutinefunction(function):
        wait = _start(need, functions)
        return await _in_thread(wait)
    try:
        answer = await asyncio.wait_for(function(*(need.arguments or ())), need.timeout)
        return snapshot(answer)[0]
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the fact cannot be told
        _failed(need, error)
        return _ABSENT


async def _in_thread(wait: Callable[[], object]) -> object:
    return await asyncio.to_thread(wait)


def _usable(need: FactNeed, functions: Mapping[str, FactFunction]) -> FactFunction | None:
    function = functions.get(need.source)
    if function is None:
        _LOG.warning(
            "nothing is registered for the fact %r: guard.fact(%r, …)", need.name, need.source
        )
    return None if need.arguments is None else function


def _failed(need: FactNeed, error: BaseException) -> None:
    if isinstance(error, UnjudgeableError):
        _LOG.warning("the fact %r has no JSON form: %s", need.name, error)
    elif isinstance(error, TimeoutError):
        _LOG.warning("the fact %r took longer than %g s", need.name, need.timeout)
    else:
        _LOG.warning("the fact %r failed: %s", need.name, type(error).__name__)
