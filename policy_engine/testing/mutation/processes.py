"""Several processes that examine mutants, side by side."""

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias

from policy_engine.compiler.build import compile_set
from policy_engine.errors import PolicyEngineError
from policy_engine.policy import PolicySet
from policy_engine.testing.case import Case
from policy_engine.testing.mutation.examine import Examiner, Verdict

__all__ = ["Examiners", "How", "Place", "ProcessEndedError", "Processes", "processors", "safe_way"]

How: TypeAlias = Literal["fork", "spawn"]
Place: TypeAlias = tuple[str, int]
"""The path of a policy set, and which of its mutants."""
Read: TypeAlias = tuple[PolicySet, Sequence[Case]]
"""A policy set and its tests."""

_THREADS: Final = Path("/proc/self/task")
"""Where Linux lists the threads of a process, those of libraries too."""


class ProcessEndedError(PolicyEngineError):
    """A process could not be started, or ended before it had examined its mutants."""


@dataclass(slots=True)
class Examiners:
    """The examiner of each policy set, made when it is first asked for.

    A process that is started anew gets the sets and their tests as they were read, for what is
    compiled cannot be sent.
    """

    read: Mapping[str, Read]
    """Path of a policy set -> the set and its tests."""
    made: dict[str, Examiner] = field(default_factory=dict)

    def __getstate__(self) -> Mapping[str, Read]:
        return self.read

    def __setstate__(self, read: Mapping[str, Read]) -> None:
        self.read, self.made = read, {}

    def examine(self, place: Place) -> Verdict:
        """Examine one mutant."""
        policies, number = place
        if policies not in self.made:
            known, cases = self.read[policies]
            self.made[policies] = Examiner(compile_set(known, warm=False), cases)
        return self.made[policies].examine(number)


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def safe_way() -> How:
    """Return how to start processes: to fork only where no other thread could hold a lock."""
    try:
        return "fork" if sum(1 for _ in _THREADS.iterdir()) == 1 else "spawn"
    except OSError:
        return "spawn"


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    owed: int = 0
    """How many verdicts are still to come of it."""


class Processes:
    """Processes that run as long as this context is open; whatever ends it ends them.

    Args:
        examiners: What they examine by; one that is forked shares what is made of them already.
        number: How many there are.
        how: How they are started.
    """

    def __init__(self, examiners: Examiners, number: int, how: How) -> None:
        self._examiners = examiners
        self._number = number
        self._context = get_context("fork") if how == "fork" else get_context("spawn")
        self._is_forking = how == "fork"
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        try:
            with _uninterrupted():
                for _ in range(self._number):
                    self._start()
        except OSError as error:
            count = len(self._workers)
            self._end()
            reason = (error.strerror or str(error)).lower()
            text = f"process {count + 1} of {self._number} could not be started: {reason}"
            raise ProcessEndedError(f"{text}; give a lower number to --jobs") from None
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def examined(self, chunks: Iterable[Sequence[Place]]) -> Iterator[tuple[Place, Verdict]]:
        """Yield the verdict of each mutant as it comes.

        Args:
            chunks: What one process examines in one go, in the order in which they are begun.

        Raises:
            ProcessEndedError: A process ended.
        """
        waiting = deque(chunks)
        for worker in self._workers:
            _ask(worker, waiting)
        while owing := {one.connection: one for one in self._workers if one.owed}:
            for connection in wait(list(owing)):
                worker = owing[connection]  # type: ignore[index]
                yield _answer(worker)
                if worker.owed == 0:
                    _ask(worker, waiting)

    def _start(self) -> None:
        mine, its = self._context.Pipe()
        # A process that is forked has a copy of every end; while one is open, it may be asked.
        ends = [mine, *(worker.connection for worker in self._workers)]
        args = (its, self._examiners, ends if self._is_forking else [])
        process = self._context.Process(target=_work, args=args, daemon=True)
        process.start()
        its.close()
        self._workers.append(_Worker(process, mine))

    def _end(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()
        self._workers.clear()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold back interrupts from the keyboard, which a process that starts would complain of."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ask(worker: _Worker, waiting: deque[Sequence[Place]]) -> None:
    if waiting:
        chunk = waiting.popleft()
        worker.owed = len(chunk)
        with suppress(OSError):  # that a process has ended is noticed where it owes an answer
            worker.connection.send(chunk)


def _answer(worker: _Worker) -> tuple[Place, Verdict]:
    try:
        answer: tuple[Place, Verdict] = worker.connection.recv()
    except (EOFError, OSError):
        worker.process.join()
        code = worker.process.exitcode or 0
        how = f"with exit code {code}"
        if code < 0:
            how = f"by signal {-code}, as it is where the memory does not suffice"
        text = f"a process that examined mutants ended {how}; --jobs 1 does without others"
        raise ProcessEndedError(text) from None
    worker.owed -= 1
    return answer


def _work(connection: Connection, examiners: Examiners, others: Iterable[Connection]) -> None:
    """Examine what is asked for, in a process of its own, until nobody asks any more."""
    for other in others:
        other.close()
    # An interrupt from the keyboard reaches all processes: the one that asks ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for place in connection.recv():
                connection.send((place, examiners.examine(place)))
