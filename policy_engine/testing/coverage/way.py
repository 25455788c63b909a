"""A request that brings an outcome about, and what of it a test has to say for that."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from policy_engine.decision import Facts, Request, Session
from policy_engine.engine import Engine
from policy_engine.testing.coverage.item import Item, Note, Outcome
from policy_engine.testing.reading.requests import SESSION
from policy_engine.testing.reading.tests import START
from policy_engine.testing.search.asking import Asking
from policy_engine.testing.search.counted import with_counters
from policy_engine.testing.search.sample import Sample, told

__all__ = ["Ask", "Known", "Way"]

Ask: TypeAlias = Callable[[Request, Facts, Note], None]
"""Asks something of a request."""
_PARTS: Final = ("agent", "principal", "context")
"""What the defaults of a test file may give to a request that does not say it."""
_STRANGERS: Final[dict[str, Any]] = {
    "agent": "somebody",
    "principal": {"id": "somebody", "roles": [], "tenant": "somewhere"},
}
_CLOCKS: Final = (
    datetime(2026, 1, 5, 23, 30, tzinfo=UTC),
    datetime(2026, 7, 11, 4, tzinfo=UTC),
    datetime(2031, 12, 31, 14, tzinfo=UTC),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of requests when they are made shorter."""

    other: Sample
    """A request of somebody whom the policies are for, as defaults may have it."""
    engine: Engine

    def said(self, sample: Sample) -> object:
        """Return what is decided of a request, as far as tests see it."""
        request, facts = sample.request, sample.facts
        now = facts.now or START
        session = facts.session or Session(started=now)
        named = replace(request, session=request.session or SESSION)
        given = Sample(named, replace(facts, now=now, session=session))
        counted = with_counters(given, self.engine)
        decision = self.engine.decide(counted.request, counted.facts)
        spoke = {(r.rule, r.effect, r.code, r.enforced) for r in decision.reasons}
        return decision.effect, frozenset(spoke)


@dataclass(frozen=True, slots=True)
class Way:
    """A request that brings an outcome about."""

    sample: Sample
    ask: Ask
    admits: Callable[[Sample], bool] | None = None
    """Whether a request meets what is asked; None where it does in any case."""
    steps: tuple[Asking, ...] = ()
    """The steps of a test that ends with the request, where others come before it."""

    def shortest(self, item: Item, outcome: Outcome, known: Known) -> Sample:
        """Return the request without what the outcome does not need, whatever the defaults are.

        Args:
            item: What the outcome is of.
            outcome: The outcome.
            known: What defaults may be, and what is decided.
        """
        sample = self.sample
        dropped = True
        while dropped:
            dropped = False
            for shorter in _without_one(sample):
                if _stands(sample) and _asker(shorter) != _asker(sample):
                    continue  # what came before it was asked by somebody who may
                if self._brings(shorter, item, outcome) and all(
                    self._stays(one, shorter, item, outcome, known)
                    for one in _given(shorter, known.other)
                ):
                    sample, dropped = shorter, True
                    break
        return sample

    def lacking(self, sample: Sample, item: Item, outcome: Outcome, known: Known) -> dict[str, Any]:
        """Return what a test must say that a request lacks: defaults would give it something.

        Args:
            sample: The request.
            item: What the outcome is of.
            outcome: The outcome.
            known: What defaults may be, and what is decided.
        """
        found: dict[str, Any] = {}
        request, facts = sample.request, sample.facts
        if request.session is None:
            # A request of a test that names no session is given one.
            session = Session(started=facts.now)
            given = Sample(replace(request, session=SESSION), replace(facts, session=session))
            if not self._brings(given, item, outcome):
                found["session"] = None
        near = list(_given(sample, known.other))
        lost = [one for one in near if not self._stays(one, sample, item, outcome, known)]
        for part in _PARTS:
            if any(_differ(one, sample, part) for one in lost):
                found[part] = None
        if any(one.facts.answers is not facts.answers for one in lost):
            found["facts"] = {}
        if any(one.facts.now is not facts.now for one in lost):
            found["now"] = START.isoformat()
        return found

    def _stays(
        self, one: Sample, sample: Sample, item: Item, outcome: Outcome, known: Known
    ) -> bool:
        """Whether a request with something more still brings the outcome about, decided alike."""
        return self._brings(one, item, outcome) and known.said(one) == known.said(sample)

    def _brings(self, sample: Sample, item: Item, outcome: Outcome) -> bool:
        if sample.facts.now is None:  # the clock of a test shows some time
            sample = replace(sample, facts=replace(sample.facts, now=START))
        if self.admits is not None and not self.admits(sample):
            return False
        said: set[Outcome] = set()
        self.ask(
            sample.request,
            sample.facts,
            lambda one, found: said.add(found) if one == item else None,
        )
        return outcome in said


def _given(sample: Sample, other: Sample) -> Iterator[Sample]:
    """Yield what defaults may make of a request, where it does not say something."""
    request, facts = sample.request, sample.facts
    for part in _PARTS:
        if getattr(request, part) is None:
            for value in (getattr(other.request, part), _STRANGERS.get(part)):
                if value is not None:
                    yield replace(sample, request=replace(request, **{part: value}))
    if not facts.answers and other.facts.answers:
        yield replace(sample, facts=replace(facts, answers=other.facts.answers))
    if facts.now is None:
        yield from _clocked(sample)


def _clocked(sample: Sample) -> Iterator[Sample]:
    for now in _CLOCKS:
        yield replace(sample, facts=replace(sample.facts, now=now))


def _differ(one: Sample, sample: Sample, part: str) -> bool:
    return getattr(one.request, part) is not getattr(sample.request, part)


def _stands(sample: Sample) -> bool:
    """Tell whether calls must have come before a request."""
    session = sample.facts.session
    if session is not None and (session.labels or session.calls):
        return True
    return any(count.used for count in sample.facts.counters.values())


def _asker(sample: Sample) -> tuple[object, ...]:
    return sample.request.agent, sample.request.principal, sample.request.context


def _without_one(sample: Sample) -> Iterator[Sample]:
    """Yield samples that lack one thing beside the call itself.

    Args:
        sample: A request and what is known.
    """
    request, facts = sample.request, sample.facts
    for name in facts.answers:
        answers = {key: value for key, value in facts.answers.items() if key != name}
        yield replace(sample, facts=replace(facts, answers=answers))
    if facts.now is not None:
        yield replace(sample, facts=replace(facts, now=None))
    if request.session is not None:
        yield told(replace(sample, request=replace(request, session=None)))
    for part in ("context", "principal", "agent"):
        if getattr(request, part) is not None:
            yield replace(sample, request=replace(request, **{part: None}))  # type: ignore[arg-type]
    for key in request.principal or {}:
        principal = {name: it for name, it in (request.principal or {}).items() if name != key}
        yield replace(sample, request=replace(request, principal=principal))
