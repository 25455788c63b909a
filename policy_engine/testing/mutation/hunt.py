"""Examines every mutant, on as many processors as there are."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final, TypeAlias

from policy_engine.compiler.build import compile_set
from policy_engine.policy import PolicySet
from policy_engine.testing.case import Case
from policy_engine.testing.mutation.enumerate import mutants_of
from policy_engine.testing.mutation.examine import Examiner, Verdict
from policy_engine.testing.reading import Loaded

__all__ = ["count_mutants", "hunt"]

_FEW: Final = 60
"""So few mutants are examined before other processes have started."""
_CHUNK: Final = 8
_Sent: TypeAlias = Sequence[tuple[str, PolicySet, Sequence[Case]]]
"""Name of a policy set, the set and its tests, as other processes get them: read already."""

_examiners: dict[str, Examiner] = {}
"""In a process that was started for it: policy set -> its examiner."""


def count_mutants(loaded: Loaded) -> int:
    """Return how many mutants there are of all policy sets."""
    return sum(sum(1 for _ in mutants_of(compiled)) for compiled in loaded.policies.values())


def hunt(
    loaded: Loaded,
    *,
    jobs: int | None = None,
    advance: Callable[[], None] | None = None,
) -> list[Verdict]:
    """Examine every mutant of every policy set.

    Args:
        loaded: The test files and the policy sets that they test.
        jobs: How many processes work; as many as processors where omitted.
        advance: Is called once a mutant.
    """
    work = [
        (policies, number)
        for policies, compiled in loaded.policies.items()
        for number in range(sum(1 for _ in mutants_of(compiled)))
    ]
    workers = min(jobs or os.cpu_count() or 1, max(1, len(work) // _CHUNK))
    verdicts: list[Verdict] = []
    if workers == 1 or len(work) <= _FEW:
        examiners = {
            policies: Examiner(compiled, _cases(loaded, policies))
            for policies, compiled in loaded.policies.items()
        }
        for policies, number in work:
            verdicts.append(examiners[policies].examine(number))
            if advance is not None:
                advance()
        return verdicts
    sent = [
        (policies, compiled.policies, _cases(loaded, policies))
        for policies, compiled in loaded.policies.items()
    ]
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(sent,),
    ) as pool:
        for verdict in pool.map(_examine, work, chunksize=_CHUNK):
            verdicts.append(verdict)
            if advance is not None:
                advance()
    return verdicts


def _start(sent: _Sent) -> None:
    for policies, known, cases in sent:
        _examiners[policies] = Examiner(compile_set(known, warm=False), cases)


def _examine(work: tuple[str, int]) -> Verdict:
    policies, number = work
    return _examiners[policies].examine(number)


def _cases(loaded: Loaded, policies: str) -> list[Case]:
    return [case for suite in loaded.suites if suite.policies == policies for case in suite.cases]
