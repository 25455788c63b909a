"""Calls that come before a printed one, so that its session and counters stand as it needs."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.decision import Calls, Count, Decision, Facts, Request, Session
from policy_engine.decision.wire import Given
from policy_engine.engine import Engine
from policy_engine.testing.reading.tests import START
from policy_engine.testing.replay import Replay, Usage, prices_of
from policy_engine.testing.search.asking import Asking, approved
from policy_engine.testing.search.counted import with_counters
from policy_engine.testing.search.made import made_of
from policy_engine.testing.search.sample import Sample
from policy_engine.testing.search.shown import Standing

__all__ = ["Before"]

_MOST: Final = 2_000
"""So often at most a call is asked."""


class Before:
    """Finds the calls that bring about what a call stands on.

    Args:
        compiled: The policy set.
        engine: What decides by it.
        asked: The requests of tests.
    """

    def __init__(self, compiled: Compiled, engine: Engine, asked: Sequence[Given]) -> None:
        self._engine = engine
        self._prices = prices_of(compiled)
        self._compiled = compiled
        self._asked = list(asked)
        self._made: list[Given] | None = None

    def decided(self, given: Given, standing: Standing) -> Decision:
        """Return what is decided of a request where all is as it is said to stand."""
        now = given.now or START
        session = None
        if given.request.session is not None:
            session = Session(frozenset(standing.labels), Calls(standing.calls), now)
        counters = {(limit, key): Count(used) for limit, key, used in standing.used}
        facts = Facts(now=now, session=session, counters=counters, answers=given.answers or {})
        sample = with_counters(Sample(given.request, facts), self._engine)
        return self._engine.decide(sample.request, sample.facts)

    def steps(self, given: Given, standing: Standing) -> tuple[Asking, ...] | None:
        """Return the steps that end with a request; None where they are not found."""
        if standing.steps:
            return standing.steps
        last = Asking(given)
        if standing == Standing(used=standing.used) and not any(u for *_, u in standing.used):
            return (last,)
        prior: list[Asking] = []
        for label in standing.labels:
            if not self._add(prior, given, partial(_carries, label)):
                return None
        for tool, _ in standing.calls:
            if any(one.given.request.tool == tool for one in prior):
                continue
            if not self._add(prior, given, partial(_calls, tool)):
                return None
        return self._repeated(prior, last, standing)

    def _add(
        self,
        prior: list[Asking],
        given: Given,
        fits: Callable[[Decision], bool],
    ) -> bool:
        """Ask for one call more that is permitted, by the same principal in the same session."""
        for found, decision in self._others(given, "tool_call", prior):
            if fits(decision):
                prior.append(found)
                return True
        return False

    def _others(
        self, given: Given, stage: str, prior: Sequence[Asking]
    ) -> Iterator[tuple[Asking, Decision]]:
        """Yield calls by the same principal in the same session that are permitted."""
        asker = given.request
        for candidate in self._candidates():
            if candidate.request.stage != stage:
                continue
            for agent in dict.fromkeys((asker.agent, candidate.request.agent)):
                context = {**(candidate.request.context or {}), **(asker.context or {})}
                request = replace(
                    candidate.request,
                    agent=agent,
                    principal=asker.principal,
                    session=asker.session,
                    context=context or None,
                )
                mine, its = given.answers or {}, candidate.answers or {}
                for answers in ({**its, **mine}, {**mine, **its}):
                    found = self._permitted(Given(request, answers, given.now), prior)
                    if found is not None:
                        yield found
                        break

    def _candidates(self) -> Iterator[Given]:
        if self._made is None:
            self._made = [
                Given(sample.request, sample.facts.answers, None)
                for sample in made_of(self._compiled)
            ]
        return chain(self._asked, self._made)

    def _permitted(self, given: Given, prior: Sequence[Asking]) -> tuple[Asking, Decision] | None:
        """Return a call as a step that is permitted after others, once somebody approves it."""
        one = Asking(given)
        decision = one.decided(self._after(prior, given))
        if decision.effect == "require_approval":
            one = approved(one, decision)
            decision = one.decided(self._after(prior, given))
        return (replace(one, effect=decision.effect), decision) if decision.permitted else None

    def _repeated(
        self, prior: list[Asking], last: Asking, standing: Standing
    ) -> tuple[Asking, ...] | None:
        """Ask for the call itself, or for one like it, until what comes of it is what should."""
        wanted = _said(self.decided(last.given, standing))
        replay = self._after(prior, last.given)
        if _said(last.decided(replay)) == wanted:
            return (*prior, last)
        own = self._permitted(last.given, prior)
        like = [own] if own is not None else self._alike(last.given, prior)
        for found, _ in like:
            usage = self._usage(found.given.request, standing)
            steps = self._until(prior, replace(found, usage=usage), last, wanted)
            if steps is not None:
                return steps
        return None

    def _alike(self, given: Given, prior: Sequence[Asking]) -> list[tuple[Asking, Decision]]:
        """Return calls of the same stage that are permitted, the same name first."""
        found = list(self._others(given, given.request.stage, prior))
        return sorted(found, key=lambda one: _name(one[0].given.request) != _name(given.request))

    def _until(
        self, prior: Sequence[Asking], own: Asking, last: Asking, wanted: object
    ) -> tuple[Asking, ...] | None:
        """Ask for a call as often as it takes for another one to be decided as it should."""
        times = 0
        replay = self._after(prior, last.given)
        while times < _MOST:
            decision = own.decided(replay)
            times += 1
            if not decision.permitted or decision.effect != own.effect:
                return None
            steps = (*prior, replace(own, repeat=times))
            if _said(replay.would_decide(last.given)) == wanted:
                return (*steps, last)
        return None

    def _usage(self, request: Request, standing: Standing) -> Usage | None:
        """Return the usage after which counters of tokens and costs stand as they should."""
        if request.stage != "model_request":
            return None
        price = self._prices.get(request.model or "", (0.0, 0.0))[0]
        units = {limit.name: limit.unit for limit in self._engine.limits(request)}
        tokens = 0
        for limit, _, used in standing.used:
            if units.get(limit) == "tokens":
                tokens = max(tokens, math.ceil(used))
            elif units.get(limit) == "cost_usd" and price > 0:
                tokens = max(tokens, math.ceil(used / price * 1_000_000))
        return Usage(None, tokens, 0)

    def _after(self, steps: Sequence[Asking], given: Given) -> Replay:
        replay = Replay(self._engine, self._prices, given.now or START)
        for one in steps:
            one.decided(replay)
        return replay


def _carries(label: str, decision: Decision) -> bool:
    return label in decision.labels


def _calls(tool: str, decision: Decision) -> bool:
    return decision.asked.tool == tool


def _name(request: Request) -> str | None:
    return request.tool or request.target or request.model


def _said(decision: Decision) -> object:
    """Return what a decision says, as far as tests see it."""
    spoke = {(r.rule, r.effect, r.code, r.enforced) for r in decision.reasons}
    return decision.effect, frozenset(spoke), frozenset(decision.labels)
