"""Requests in which two things that a condition reads are what it names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, islice, product
from typing import Any, Final

from policy_engine.testing.search.near import Near
from policy_engine.testing.search.sample import Reads, Sample

__all__ = ["in_pairs", "with_each"]

_MANY: Final = 6
"""So many things are changed two at a time."""
_TOGETHER: Final = 1_000
"""So many requests are tried in which all of them are changed."""
_SLOTS: Final = ("args", "facts", "context", "principal")


def in_pairs(sample: Sample, near: Near, reads: Reads) -> Iterator[Sample]:
    """Yield samples in which two things that a condition reads are what it names."""
    slots = sorted(path for path in reads.paths or () if path[0] in _SLOTS and len(path) > 1)
    for first, second in combinations(slots[:_MANY], 2):
        for one in near.at(first, _at(sample, first)):
            changed = _with(sample, first, one)
            for other in near.at(second, _at(sample, second)):
                yield _with(changed, second, other)
    if len(slots) > 2:
        yield from islice(_all_at_once(sample, near, slots[:_MANY]), _TOGETHER)


def _all_at_once(sample: Sample, near: Near, slots: list[tuple[str, ...]]) -> Iterator[Sample]:
    values = [list(dict.fromkeys(map(_key, near.at(s, _at(sample, s))))) for s in slots]
    for chosen in product(*values):
        changed = sample
        for slot, (_, value) in zip(slots, chosen, strict=True):
            changed = _with(changed, slot, value)
        yield changed


def _key(value: Any) -> tuple[str, Any]:
    """Tell values apart that are equal and of different kinds."""
    return type(value).__name__, value


def with_each(
    sample: Sample, paths: Iterable[tuple[str, ...]], values: Iterable[Any]
) -> Iterator[Sample]:
    """Yield samples in which one thing that a condition reads is one of some values."""
    for path in sorted(path for path in paths if path[0] in _SLOTS and len(path) > 1):
        before = _at(sample, path)
        for value in values:
            if isinstance(before, list):
                yield _with(sample, path, [*before, value])
                yield _with(sample, path, [value])
            else:
                yield _with(sample, path, value)


def _at(sample: Sample, path: tuple[str, ...]) -> Any:
    """Return what stands at a place that a condition reads; None where nothing does."""
    holder: Any = {
        "args": sample.request.args,
        "facts": sample.facts.answers,
        "context": sample.request.context,
        "principal": sample.request.principal,
    }[path[0]]
    for step in path[1:]:
        holder = holder.get(step) if isinstance(holder, Mapping) else None
    return holder


def _with(sample: Sample, path: tuple[str, ...], value: Any) -> Sample:
    """Return a sample in which something else stands at a place."""
    place, request, facts = path[0], sample.request, sample.facts
    if place == "facts":
        return replace(sample, facts=replace(facts, answers=_put(facts.answers, path[1:], value)))
    changed = _put(getattr(request, place), path[1:], value)
    return replace(sample, request=replace(request, **{place: changed}))


def _put(holder: Any, path: tuple[str, ...], value: Any) -> Any:
    if not path:
        return value
    known = dict(holder) if isinstance(holder, Mapping) else {}
    return {**known, path[0]: _put(known.get(path[0]), path[1:], value)}
