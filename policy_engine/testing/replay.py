"""Decides requests in order, and remembers between them what a guard would remember."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.decision import Decision, Facts, Request
from policy_engine.decision.wire import Given
from policy_engine.engine import Engine
from policy_engine.state import Alert, MemoryState

__all__ = ["Prices", "Replay", "Usage", "prices_of"]

Prices = Mapping[str, tuple[float, float]]
"""Model -> USD per million tokens of input and of output."""

_MAX_RUNNING: Final = 10_000


@dataclass(frozen=True, slots=True)
class Usage:
    """What a model request used, as the provider reported it."""

    model: str | None
    input_tokens: int
    output_tokens: int


def prices_of(compiled: Compiled) -> Prices:
    """Return what models cost; where policies differ, the higher price."""
    prices: dict[str, tuple[float, float]] = {}
    for loaded in compiled.policies.policies:
        for model, price in loaded.policy.prices.items():
            before = prices.get(model, (0.0, 0.0))
            prices[model] = (max(before[0], price.input), max(before[1], price.output))
    return prices


class Replay:
    """Decides requests one after the other.

    A permitted call is taken to have returned when the next step of its session begins, or
    right after the step with its result: the rules over a result do not see its own labels.

    Args:
        engine: What decides.
        prices: What models cost.
        start: The time of a first request that gives none.
    """

    def __init__(self, engine: Engine, prices: Prices, start: datetime) -> None:
        self._engine = engine
        self._prices = prices
        self._state = MemoryState()
        self._now = start
        self._running: OrderedDict[tuple[object, ...], Decision] = OrderedDict()
        self._facts = Facts()
        self._alerts: tuple[str, ...] = ()

    @property
    def alerts(self) -> tuple[str, ...]:
        """The limits that the last request, or its usage, brought to the share that alerts."""
        return self._alerts

    @property
    def facts(self) -> Facts:
        """What the last decision saw beside its request."""
        return self._facts

    def decide(
        self,
        given: Given,
        *,
        usage: Usage | None = None,
        answered: Mapping[str, str] | None = None,
        after: float = 0.0,
    ) -> Decision:
        """Decide a request and remember what became of it.

        Args:
            given: The request, the facts that are given with it, and the time if it is given.
            usage: What the model reported, for a model request.
            answered: Rule -> what approvers said about it.
            after: How many seconds later than the one before.
        """
        request = given.request
        if given.now is not None:
            self._now = given.now
        if after:
            self._now += timedelta(seconds=after)
        session = _session(request)
        before = self._running.pop(session, None)
        result_of = before if before is not None and _is_result(request, before.asked) else None
        if before is not None and result_of is None:
            self._state.returned(before, self._now)
        needs = self._engine.needs(request)
        facts = self._state.facts(request, needs, self._now, given.answers)
        if answered:
            facts = replace(facts, approvals=answered)
        self._facts = facts
        decision = self._engine.decide(request, facts)
        hold = self._state.commit(decision, self._now)
        if not hold:
            raise AssertionError("nobody else counts, so what fitted still fits")
        if result_of is not None:
            self._state.returned(result_of, self._now)
        if request.stage == "tool_call" and decision.permitted:
            self._run(session, decision)
        alerts = hold.alerts
        if usage is not None:
            alerts += self._settle(request, usage)
        self._alerts = tuple(dict.fromkeys(alert.limit for alert in alerts))
        return decision

    def would_decide(self, given: Given) -> Decision:
        """Return what a request would come to now; it is not counted."""
        request = given.request
        before = self._running.pop(_session(request), None)
        if before is not None:
            self._state.returned(before, self._now)
        needs = self._engine.needs(request)
        facts = self._state.facts(request, needs, given.now or self._now, given.answers)
        return self._engine.decide(request, facts)

    def _run(self, session: tuple[object, ...], decision: Decision) -> None:
        self._running[session] = decision
        if len(self._running) > _MAX_RUNNING:
            self._state.returned(self._running.popitem(last=False)[1], self._now)

    def _settle(self, request: Request, usage: Usage) -> tuple[Alert, ...]:
        price = self._prices.get(usage.model or "") or self._prices.get(request.model or "")
        cost = None
        if price is not None:
            cost = (usage.input_tokens * price[0] + usage.output_tokens * price[1]) / 1_000_000
        settled = self._state.record_usage(
            request,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=cost,
            now=self._now,
        )
        return settled.alerts


def _session(request: Request) -> tuple[object, ...]:
    principal = request.principal or {}
    return principal.get("tenant"), principal.get("id"), request.session


def _is_result(request: Request, call: Request) -> bool:
    return (
        request.stage == "tool_result"
        and request.tool == call.tool
        and request.call_id == call.call_id
    )
