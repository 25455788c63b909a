"""Look up the facts that a decision needs: all at once, each with its own time limit."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
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
    """One lookup, running in a thread of its own from the start.

    Args:
        need: The fact.
        function: Looks it up.
        trace: What log lines name.
        tell: Called in the thread when there is an answer, or none to come.
    """

    def __init__(
        self, need: FactNeed, function: FactFunction, trace: Trace, tell: Callable[[], object]
    ) -> None:
        self._need = need
        self._function = function
        self._trace = trace
        self._tell = tell
        self._answer: object = _ABSENT
        self._is_late = False
        self._is_over = False
        context = contextvars.copy_context()
        name = f"fact {need.name}"
        thread = threading.Thread(target=context.run, args=(self._run,), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            _failed(need, error, trace)
            self._is_over = True
            tell()

    def answer(self) -> object:
        """Return what was found by now."""
        if self.give_up():
            _failed(self._need, TimeoutError(), self._trace)
            return _ABSENT
        return self._answer

    def give_up(self) -> bool:
        """Hear no answer that comes from now on; whether none has come."""
        with _HANGING.lock:
            if not self._is_over and not self._is_late:
                self._is_late = True
                _HANGING.count += 1
        return self._is_late

    def _run(self) -> None:
        answer = _ABSENT
        try:
            answer = self._looked_up()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the fact cannot be told
            if not self._is_late:
                _failed(self._need, error, self._trace)
        with _HANGING.lock:
            self._answer = answer
            self._is_over = True
            if self._is_late:
                _HANGING.count -= 1
        self._tell()

    def _looked_up(self) -> object:
        answer = self._function(*_arguments(self._need))
        if inspect.isawaitable(answer):
            answer = asyncio.run(_bounded(answer, self._need.timeout))
        return snapshot(answer)[0]


def gather(question: Question, functions: Mapping[str, FactFunction]) -> Mapping[str, Any]:
    """Look facts up in threads; one that fails or is late is left out: it cannot be told."""
    started = monotonic()
    found = []
    for need in question.needs:
        function = _usable(need, functions, question.trace)
        if function is not None:
            done = threading.Event()
            found.append((need, _Lookup(need, function, question.trace, done.set), done))
    answers = {}
    for need, lookup, done in found:
        done.wait(max(0.0, started + need.timeout - monotonic()))
        answers[need.name] = lookup.answer()
    return _told(answers)


async def gather_async(
    question: Question, functions: Mapping[str, FactFunction]
) -> Mapping[str, Any]:
    """Look facts up concurrently without blocking the event loop, likewise."""
    names = [need.name for need in question.needs]
    lookups = (_answer_async(need, functions, question.trace) for need in question.needs)
    return _told(dict(zip(names, await asyncio.gather(*lookups), strict=True)))


def _told(answers: Mapping[str, object]) -> Mapping[str, Any]:
    return {name: answer for name, answer in answers.items() if answer is not _ABSENT}


async def _bounded(answer: Awaitable[Any], timeout: float) -> Any:  # noqa: ASYNC109 - passed on
    return await asyncio.wait_for(answer, timeout)


async def _answer_async(
    need: FactNeed, functions: Mapping[str, FactFunction], trace: Trace
) -> object:
    function = _usable(need, functions, trace)
    if function is None:
        return _ABSENT
    if not inspect.iscoroutinefunction(function):
        return await _threaded(need, function, trace)
    try:
        answer = await asyncio.wait_for(function(*_arguments(need)), need.timeout)
        return snapshot(answer)[0]
    except Exception as error:  # noqa: BLE001 - whatever it is, the fact cannot be told
        _failed(need, error, trace)
        return _ABSENT


async def _threaded(need: FactNeed, function: FactFunction, trace: Trace) -> object:
    """Await a lookup that runs in a thread."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def tell() -> None:
        try:
            loop.call_soon_threadsafe(done.set)
        except RuntimeError:
            return  # the loop is closed: nobody waits there

    lookup = _Lookup(need, function, trace, tell)
    try:
        await asyncio.wait_for(done.wait(), need.timeout)
    except TimeoutError:
        pass  # `answer` says so
    except asyncio.CancelledError:
        lookup.give_up()
        raise
    return lookup.answer()


def _arguments(need: FactNeed) -> list[Any]:
    """Return what a lookup is called with: copies, so that it cannot change what is judged."""
    return [snapshot(argument)[0] for argument in need.arguments or ()]


def _usable(
    need: FactNeed, functions: Mapping[str, FactFunction], trace: Trace
) -> FactFunction | None:
    function = functions.get(need.source)
    if function is None:
        name, source = need.name, need.source
        warn(trace, 'nothing is registered for the fact "%s": guard.fact("%s", …)', name, source)
    elif _HANGING.count >= _MAX_HANGING:
        text = 'the fact "%s" is not looked up: %d lookups hang already'
        warn(trace, text, need.name, _MAX_HANGING)
        return None
    return None if need.arguments is None else function


def _failed(need: FactNeed, error: BaseException, trace: Trace) -> None:
    if isinstance(error, UnjudgeableError):
        warn(trace, 'the fact "%s" has no JSON form: %s', need.name, error)
    elif isinstance(error, TimeoutError):
        warn(trace, 'the fact "%s" took longer than %g s', need.name, need.timeout)
    else:
        warn(trace, 'the fact "%s" failed: %s', need.name, type(error).__name__)
