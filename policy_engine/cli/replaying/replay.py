"""Decides requests in order, and remembers between them what a guard would remember."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from policy_engine.cli.replaying.step import Step, Usage
from policy_engine.decision import Decision, Request
from policy_engine.engine import Engine
from policy_engine.state import MemoryState

__all__ = ["Prices", "Replay"]

Prices = Mapping[str, tuple[float, float]]
"""Model -> USD per million tokens of input and of output."""

_MAX_RUNNING: Final = 10_000


class Replay:
    """Decides the steps of a replay.

    A permitted call is taken to have returned when the next step of its session begins, or
    right after the step with its result: the rules over a result do not see its own labels.

    Args:
        engine: What decides.
        prices: What models cost.
        start: The time of a first step that gives none.
    """

    def __init__(self, engine: Engine, prices: Prices, start: datetime) -> None:
        self._engine = engine
        self._prices = prices
        self._state = MemoryState()
        self._now = start
        self._running: OrderedDict[tuple[object, ...], Decision] = OrderedDict()

    def decide(self, step: Step) -> Iterator[Decision]:
        """Decide a step as often as it is repeated."""
        for _ in range(step.repeat):
            yield self._once(step)

    def _once(self, step: Step) -> Decision:
        request = step.given.request
        if step.given.now is not None:
            self._now = step.given.now
        session = _session(request)
        before = self._running.pop(session, None)
        result_of = before if before is not None and _is_result(request, before.asked) else None
        if before is not None and result_of is None:
            self._state.returned(before, self._now)
        needs = self._engine.needs(request)
        facts = self._state.facts(request, needs, self._now, step.given.answers)
        decision = self._engine.decide(request, facts)
        if not self._state.commit(decision, self._now):
            raise AssertionError("nobody else counts, so what fitted still fits")
        if result_of is not None:
            self._state.returned(result_of, self._now)
        if request.stage == "tool_call" and decision.permitted:
            self._run(session, decision)
        if step.usage is not None:
            self._settle(request, step.usage)
        return decision

    def _run(self, session: tuple[object, ...], decision: Decision) -> None:
        self._running[session] = decision
        if len(self._running) > _MAX_RUNNING:
            self._state.returned(self._running.popitem(last=False)[1], self._now)

    def _settle(self, request: Request, usage: Usage) -> None:
        price = self._prices.get(usage.model or "") or self._prices.get(request.model or "")
        cost = None
        if price is not None:
            cost = (usage.input_tokens * price[0] + usage.output_tokens * price[1]) / 1_000_000
        self._state.record_usage(
            request,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=cost,
            now=self._now,
        )


def _session(request: Request) -> tuple[object, ...]:
    principal = request.principal or {}
    return principal.get("tenant"), principal.get("id"), request.session


def _is_result(request: Request, call: Request) -> bool:
    return (
        request.stage == "tool_result"
        and request.tool == call.tool
        and request.call_id == call.call_id
    )
