"""Look up the facts that a decision needs: all at once, each with its own time limit."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, Final, TypeAlias

from policy_engine.audit import Trace
from policy_engine.decision import FactNeed
from policy_engine.guard.log import warn
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import snapshot

__all__ = ["FactFunction", "Question", "gather", "gather_async"]

FactFunction: TypeAlias = Callable[..., Any]

_MAX_HANGING: Final = 64
"""A lookup that outlives its time limit keeps its thread; beyond this many, none is started."""
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Question:
    """What a road wants looked up, and for which trace."""

    needs: Sequence[FactNeed]
    trace: Trace


class _Hanging:
    """How many lookups run on past their time limit."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = threading.Lock()


_HANGING: Final = _Hanging()


class _Lookup:
    """One lookup that runs; what it finds counts only within its time.

    Args:
        need: The fact.
        trace: What log lines name.
        tell: Called when there is an answer, or none to come.
    """

    def __init__(self, need: FactNeed, trace: Trace, tell: Callable[[], object]) -> None:
        self.need = need
        self.deadline = monotonic() + need.timeout
        self._trace = trace
        self._tell = tell
        self._answer: object = _ABSENT
        self._is_late = False
        self._is_over = False

    def answer(self) -> object:
        """Return what was found by now."""
        if self.give_up():
            _failed(self.need, TimeoutError(), self._trace)
        return self._answer

    def give_up(self) -> bool:
        """Hear no answer that comes from now on; whether none has come in time."""
        with _HANGING.lock:
            hangs = not self._is_over and not self._is_late
            if hangs:
                self._is_late = True
                _HANGING.count += 1
        if hangs:
            self._stop()
        return self._is_late

    def _stop(self) -> None:
        """Stop it, where that is possible."""

    def _end(self, answer: object = _ABSENT, error: BaseException | None = None) -> None:
        """Take the answer, or why there is none; what ends the second time is not heard."""
        with _HANGING.lock:
            if self._is_over:
                return
            self._is_over = True
            if self._is_late:
                _HANGING.count -= 1
            elif monotonic() > self.deadline:
                self._is_late = True
            else:
                self._answer = answer
        if error is not None and not self._is_late:
            _failed(self.need, error, self._trace)
        self._tell()


class _InThread(_Lookup):
    """A lookup in a thread of its own, which cannot be stopped."""

    def start(self, function: FactFunction) -> None:
        """Start it in the caller's context."""
        context = contextvars.copy_context()
        name = f"fact {self.need.name}"
        thread = threading.Thread(
            target=context.run, args=(self._run, function), name=name, daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            self._end(error=error)

    def _run(self, function: FactFunction) -> None:
        try:
            answer = function(*_arguments(self.need))
            if inspect.isawaitable(answer):
                answer = asyncio.run(_bounded(answer, self.need.timeout))
            found = snapshot(answer)[0]
        except BaseException as error:  # noqa: BLE001 - whatever it is, the fact cannot be told
            self._end(error=error)
        else:
            self._end(found)


class _InTask(_Lookup):
    """A lookup in a task of its own: what ends it ends nobody else."""

    _task: asyncio.Task[None] | None = None

    def start(self, function: FactFunction) -> None:
        """Start it on the caller's event loop, in the caller's context."""
        self._task = asyncio.create_task(self._run(function), name=f"fact {self.need.name}")
        self._task.add_done_callback(self._left)

    def _stop(self) -> None:
        """Cancel it; where it goes on all the same, nobody waits for it."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self, function: FactFunction) -> None:
        try:
            found = snapshot(await function(*_arguments(self.need)))[0]
        except KeyboardInterrupt:  # it is the user's, who wants all to end
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, the fact cannot be told
            self._end(error=error)
        else:
            self._end(found)

    def _left(self, task: asyncio.Task[None]) -> None:
        """Note that it ended, however: a task whose error nobody asks for is complained of."""
        error = None if task.cancelled() else task.exception()
        self._end(error=error)


def gather(question: Question, functions: Mapping[str, FactFunction]) -> Mapping[str, Any]:
    """Look facts up in threads; one that fails or is late is left out: it cannot be told."""
    running: list[tuple[_Lookup, threading.Event]] = []
    for need, function in _usable(question, functions):
        done = threading.Event()
        lookup = _InThread(need, question.trace, done.set)
        running.append((lookup, done))
        lookup.start(function)
    running.sort(key=_deadline)
    try:
        for waited, done in running:
            done.wait(max(0.0, waited.deadline - monotonic()))
            waited.give_up()
    finally:
        _give_up(running)
    return _told(running)


async def gather_async(
    question: Question, functions: Mapping[str, FactFunction]
) -> Mapping[str, Any]:
    """Look facts up concurrently without blocking the event loop, likewise.

    Only a cancellation of the caller cancels; that of a lookup is a fact that cannot be told.
    """
    loop = asyncio.get_running_loop()
    running: list[tuple[_Lookup, asyncio.Future[None]]] = []
    for need, function in _usable(question, functions):
        done = loop.create_future()
        kind = _InTask if _is_async(function) else _InThread
        lookup = kind(need, question.trace, partial(_tell, loop, done))
        running.append((lookup, done))
        lookup.start(function)
    running.sort(key=_deadline)
    try:
        for waited, done in running:
            await asyncio.wait((done,), timeout=max(0.0, waited.deadline - monotonic()))
            waited.give_up()
    finally:
        _give_up(running)
    return _told(running)


def _deadline(running: tuple[_Lookup, object]) -> float:
    return running[0].deadline


def _give_up(running: Sequence[tuple[_Lookup, object]]) -> None:
    """Leave no lookup unheeded where waiting was cut short."""
    for lookup, _ in running:
        lookup.give_up()


def _told(running: Sequence[tuple[_Lookup, object]]) -> Mapping[str, Any]:
    answers = {lookup.need.name: lookup.answer() for lookup, _ in running}
    return {name: answer for name, answer in answers.items() if answer is not _ABSENT}


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[None]) -> None:
    """Wake who waits on an event loop, from whatever thread."""
    try:
        loop.call_soon_threadsafe(_wake, done)
    except RuntimeError:
        return  # the loop is closed: nobody waits there


def _wake(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


async def _bounded(answer: Awaitable[Any], timeout: float) -> Any:  # noqa: ASYNC109 - passed on
    return await asyncio.wait_for(answer, timeout)


def _is_async(function: FactFunction) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004 - it is the method that may be async
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _arguments(need: FactNeed) -> list[Any]:
    """Return what a lookup is called with: copies, so that it cannot change what is judged."""
    return [snapshot(argument)[0] for argument in need.arguments or ()]


def _usable(
    question: Question, functions: Mapping[str, FactFunction]
) -> Iterator[tuple[FactNeed, FactFunction]]:
    """Yield the facts that can be looked up now, with what does it."""
    for need in question.needs:
        function = functions.get(need.source)
        if function is None:
            name, source = need.name, need.source
            text = 'nothing is registered for the fact "%s": guard.fact("%s", …)'
            warn(question.trace, text, name, source)
        elif _HANGING.count >= _MAX_HANGING:
            text = 'the fact "%s" is not looked up: %d lookups hang already'
            warn(question.trace, text, need.name, _MAX_HANGING)
        elif need.arguments is not None:
            yield need, function


def _failed(need: FactNeed, error: BaseException, trace: Trace) -> None:
    if isinstance(error, UnjudgeableError):
        warn(trace, 'the fact "%s" has no JSON form: %s', need.name, error)
    elif isinstance(error, TimeoutError):
        warn(trace, 'the fact "%s" took longer than %g s', need.name, need.timeout)
    else:
        warn(trace, 'the fact "%s" failed: %s', need.name, type(error).__name__)
