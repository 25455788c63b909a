"""A call after which a lower price lets a model be called once more."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.decision import Request
from policy_engine.decision.wire import Given
from policy_engine.engine import Engine
from policy_engine.testing.mutation.mutant import Aim
from policy_engine.testing.reading.tests import START
from policy_engine.testing.replay import Prices, Replay, Usage, prices_of
from policy_engine.testing.search.asking import Asking
from policy_engine.testing.search.sample import Sample
from policy_engine.testing.search.shown import Witness, shown_after

__all__ = ["spent"]

_MOST: Final = 1 << 50


def spent(
    aim: Aim, compiled: Compiled, lower: Prices, engine: Engine, seeds: Iterable[Sample]
) -> Witness | None:
    """Return a call that only the lower price permits, after one that used many tokens."""
    prices = prices_of(compiled)
    position = 0 if aim.before == "input" else 1
    price = prices[aim.name][position]
    if lower[aim.name] == prices[aim.name]:
        return None
    for sample in _samples(aim.name, seeds):
        for limit in engine.limits(sample.request):
            tokens = math.ceil(limit.max / price * 1_000_000) if limit.unit == "cost_usd" else 0
            if not 0 < tokens < _MOST:
                continue
            counts = (tokens, 0) if position == 0 else (0, tokens)
            usage = Usage(aim.name, *counts)
            for session in dict.fromkeys((sample.request.session, "another")):
                second = replace(sample, request=replace(sample.request, session=session))
                both = (sample, second)
                before = _effect(engine, prices, both, usage)
                after = _effect(engine, lower, both, usage)
                if before != after:
                    told = f"a call before it used {tokens:,} tokens of {aim.before}"
                    found = shown_after(_asking(second), [_asking(sample, usage)], before, after)
                    return replace(found, beside=(told,))
    return None


def _asking(sample: Sample, usage: Usage | None = None) -> Asking:
    """Return a request as a step of a test, with what it used."""
    given = Given(sample.request, dict(sample.facts.answers), sample.facts.now or START)
    return Asking(given, usage=usage, effect="" if usage is None else "allow")


def _samples(model: str, seeds: Iterable[Sample]) -> Iterator[Sample]:
    for seed in seeds:
        request = seed.request
        if request.stage != "model_request":
            request = Request(
                stage="model_request",
                agent=request.agent,
                principal=request.principal,
                session=request.session,
                context=request.context,
                text="Hello",
            )
        yield replace(seed, request=replace(request, model=model, call_id=None))


def _effect(engine: Engine, prices: Prices, both: tuple[Sample, Sample], usage: Usage) -> str:
    """Return the effect of a call that follows one with some usage."""
    first, second = both
    replay = Replay(engine, prices, first.facts.now or START)
    replay.decide(Given(first.request, dict(first.facts.answers), None), usage=usage)
    return str(replay.decide(Given(second.request, dict(second.facts.answers), None)).effect)
