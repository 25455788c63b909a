"""Examines every mutant, on as many processors as there are."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from policy_engine.testing.mutation.enumerate import mutants_of
from policy_engine.testing.mutation.examine import Examiner, Verdict
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.mutation.processes import (
    Examiners,
    How,
    Place,
    Processes,
    processors,
    safe_way,
)
from policy_engine.testing.reading import Loaded

__all__ = ["hunt"]

_FEW: Final = {"fork": 20, "spawn": 120}
"""How processes are started -> so few mutants are examined before they have."""
_CHUNK: Final = 12
"""So many mutants of one name, at most, are examined in one go."""


def hunt(
    loaded: Loaded,
    *,
    jobs: int | None = None,
    how: How | None = None,
    advance: Callable[[int, int], None] | None = None,
) -> list[Verdict]:
    """Examine every mutant of every policy set; the verdicts come in the order of the mutants.

    Args:
        loaded: The test files and the policy sets that they test.
        jobs: How many processes work; as many as processors where omitted.
        how: How they are started; as is safe where omitted.
        advance: Is told how many mutants are examined, of how many: at first once all processes
            have been started, so that it may start threads.

    Raises:
        ProcessEndedError: A process could not be started, or ended before its work was done.
    """
    how = how or safe_way()
    mutants = {
        policies: tuple(mutants_of(compiled)) for policies, compiled in loaded.policies.items()
    }
    chunks = [chunk for policies, found in mutants.items() for chunk in _chunks(policies, found)]
    places = [place for chunk in chunks for place in chunk]
    workers = min(jobs or processors(), len(chunks))
    alone = workers <= 1 or len(places) <= _FEW[how]
    examiners = _examiners(loaded, made=alone or how == "fork")
    told: dict[Place, Verdict] = {}

    def note(found: Iterable[tuple[Place, Verdict]]) -> None:
        for place, verdict in found:
            told[place] = verdict
            if advance is not None:
                advance(len(told), len(places))

    if alone:
        note((place, examiners.examine(place)) for place in places)
    else:
        with Processes(examiners, workers, how) as processes:
            if advance is not None:
                advance(0, len(places))
            # The largest come first, so that at the end no processor waits long for another.
            note(processes.examined(sorted(chunks, key=len, reverse=True)))
    return [told[place] for place in places]


def _chunks(policies: str, mutants: Sequence[Mutant]) -> Iterator[list[Place]]:
    """Yield what is examined in one go: mutants of one name share a search."""
    number = 0
    for _, named in groupby(mutants, lambda one: (one.index, one.name)):
        count = sum(1 for _ in named)
        for first in range(number, number + count, _CHUNK):
            last = min(first + _CHUNK, number + count)
            yield [(policies, i) for i in range(first, last)]
        number += count


def _examiners(loaded: Loaded, *, made: bool) -> Examiners:
    read = {
        policies: (
            compiled.policies,
            [case for suite in loaded.suites if suite.policies == policies for case in suite.cases],
        )
        for policies, compiled in loaded.policies.items()
    }
    if not made:
        return Examiners(read)
    return Examiners(
        read,
        {
            policies: Examiner(compiled, read[policies][1])
            for policies, compiled in loaded.policies.items()
        },
    )
