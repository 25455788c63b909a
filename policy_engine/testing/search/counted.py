"""Requests with counters: those that no test has counted with stand at nothing."""

from dataclasses import replace

from policy_engine.decision import Count
from policy_engine.engine import Engine
from policy_engine.testing.search.sample import Sample

__all__ = ["with_counters"]


def with_counters(sample: Sample, *engines: Engine) -> Sample:
    """Let the counters that are not known stand at nothing.

    Args:
        sample: A request and what is known.
        engines: Decide about it.
    """
    counters = sample.facts.counters
    missing = {
        (need.limit, need.key): Count(0.0)
        for engine in engines
        for need in engine.needs(sample.request).counters
        if (need.limit, need.key) not in counters
    }
    if not missing:
        return sample
    return replace(sample, facts=replace(sample.facts, counters={**counters, **missing}))
