"""Requests that nothing denies but what a mutant changes: only there can the mutant be seen."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.engine import Engine
from policy_engine.testing.mutation.solved import Solved
from policy_engine.testing.reach import Reach
from policy_engine.testing.search.sample import Reads, Sample
from policy_engine.testing.search.samples import around

__all__ = ["opened"]

_STARTS: Final = 3
_STEPS: Final = 8
_KEPT: Final = 16
_TRIED: Final = 1_500
"""How many requests are tried to find one that fewer rules deny."""


def opened(seeds: Sequence[Sample], names: Iterable[str], solver: Solved) -> list[Sample]:
    """Order requests by how little else denies them, and put one in front that nothing does.

    Args:
        seeds: Requests to begin with.
        names: What may deny.
        solver: Clears requests of what denies them.
    """
    meant = frozenset(names)
    climber = _Climber(solver.compiled, solver.engine, meant)
    heights = [climber.height(seed) for seed in seeds]
    ranked = [seeds[i] for i in sorted(range(len(seeds)), key=heights.__getitem__)]
    if 0 in heights:
        return ranked[: max(_KEPT, heights.count(0))]
    for way in (lambda start: solver.opened(start, meant), climber.climbed):
        for start in ranked[:_STARTS]:
            found = way(start)
            if found is not None:
                return [found, *ranked[:_KEPT]]
    return ranked[:_KEPT]


class _Climber:
    def __init__(self, compiled: Compiled, engine: Engine, names: Iterable[str]) -> None:
        self._compiled = compiled
        self._engine = engine
        self._names = frozenset(names)
        self._reach = Reach(compiled)

    def height(self, sample: Sample) -> int:
        """Return how many other reasons there are to deny."""
        decision = self._engine.decide(sample.request, sample.facts)
        return sum(
            one.enforced and one.effect == "deny" and one.rule not in self._names
            for one in decision.reasons
        )

    def climbed(self, sample: Sample) -> Sample | None:
        """Change one thing after the other; None where something denies in the end."""
        height = self.height(sample)
        for _ in range(_STEPS):
            lower = next((one for one in self._around(sample) if self.height(one) < height), None)
            if lower is None:
                return None
            sample, height = lower, self.height(lower)
            if height == 0:
                return sample
        return None

    def _around(self, sample: Sample) -> Iterator[Sample]:
        chain = self._reach.of(sample.request).chain
        return islice(around(sample, chain, self._compiled, Reads()), 1, _TRIED)
