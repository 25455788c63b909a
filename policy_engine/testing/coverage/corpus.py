"""Requests that brought about something new, to go on from."""

import random
from collections.abc import Container
from typing import Final

from policy_engine.testing.coverage.item import Item, Outcome
from policy_engine.testing.search.sample import Sample

__all__ = ["Corpus"]

_MOST: Final = 400


class Corpus:
    """Keeps a request for each combination of outcomes.

    Args:
        lacking: The items of which an outcome is still looked for.
    """

    def __init__(self, lacking: Container[Item]) -> None:
        self._lacking = lacking
        self._known: set[frozenset[tuple[Item, Outcome]]] = set()
        self._kept: list[tuple[Sample, frozenset[Item]]] = []

    def keep(self, sample: Sample, said: set[tuple[Item, Outcome]]) -> None:
        """Keep a request if nothing has said yet what it says."""
        combination = frozenset(said)
        if combination not in self._known and len(self._kept) < _MOST:
            self._known.add(combination)
            self._kept.append((sample, frozenset(item for item, _ in said)))

    def pick(self, lots: random.Random, otherwise: Sample) -> Sample:
        """Draw a request, of those that ask something of which an outcome is looked for."""
        if not self._kept:
            return otherwise
        for _ in range(4):
            sample, asked = lots.choice(self._kept)
            if any(item in self._lacking for item in asked):
                return sample
        return lots.choice(self._kept)[0]
