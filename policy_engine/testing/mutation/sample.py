"""A request of a test, with what is known when it is decided, and what of it matters."""

from dataclasses import dataclass, replace
from typing import Any, Final

from policy_engine.decision import Facts, Request

__all__ = ["ABSENT", "Reads", "Sample", "with_argument", "with_fact"]

ABSENT: Final = object()
"""Stands for the value of an argument that is not given."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What decides whether something speaks; None where that is not known."""

    paths: frozenset[tuple[str, ...]] | None = None

    def wants(self, place: str, name: str | None = None) -> bool:
        """Whether a part of a request, or a name in it, matters."""
        if self.paths is None:
            return True
        return any(
            path[0] == place and (name is None or len(path) == 1 or path[1] == name)
            for path in self.paths
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """A request and what is known when it is decided."""

    request: Request
    facts: Facts


def with_argument(sample: Sample, name: str, value: Any) -> Sample:
    """Return a sample in which an argument has another value; none where it is absent."""
    args = sample.request.args if isinstance(sample.request.args, dict) else {}
    changed = {key: item for key, item in args.items() if key != name}
    if value is not ABSENT:
        changed[name] = value
    return replace(sample, request=replace(sample.request, args=changed))


def with_fact(sample: Sample, name: str, value: Any) -> Sample:
    """Return a sample in which a fact has another value."""
    answers = {**sample.facts.answers, name: value}
    return replace(sample, facts=replace(sample.facts, answers=answers))
