"""Calls that use a limit up: each of them is permitted, and the last one is one too many.

Theory of operation. What is left of a limit is shared out among as few equal calls as may be
asked for. They are asked one after the other. Where something else stops one, a limit that is
narrower or what an earlier call left behind, the same is asked in another session, by somebody
else or later, as long as it counts towards the same; and so is the last one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, count, islice
from typing import Any, Final

from policy_engine.compiler import Chain, Compiled, CompiledLimit
from policy_engine.compiler.names import is_glob
from policy_engine.decision import Decision, Session
from policy_engine.decision.wire import Given
from policy_engine.engine import Engine
from policy_engine.testing.reach import Reach
from policy_engine.testing.replay import Replay, Usage, prices_of
from policy_engine.testing.search.amounts import Calls, amounts_of, numbers_in, summed
from policy_engine.testing.search.asking import Asking, approved
from policy_engine.testing.search.clearing import Clearing
from policy_engine.testing.search.counted import with_counters
from policy_engine.testing.search.declared import Declared
from policy_engine.testing.search.evaluated import Evaluated
from policy_engine.testing.search.made import made_of
from policy_engine.testing.search.moved import PARTS, as_asked_by, key_of, moved, names_of
from policy_engine.testing.search.places import Place, at_place
from policy_engine.testing.search.reaching import distinct
from policy_engine.testing.search.sample import ABSENT, Sample, with_argument

__all__ = ["NOON", "Filled", "Filling", "at_time"]

NOON: Final = datetime(2026, 1, 5, 10, tzinfo=UTC)
_MOST: Final = 5_000
"""So many calls at most come before one."""
_STEPS: Final = 60
"""In so many steps at most."""
_WAYS: Final = 6
"""So many ways to reach a sum are tried."""
_LASTS: Final = 3
"""For so many sizes of the last call."""
_VALUES: Final = 60
_OTHERS: Final = 12
"""So many other values of an argument are tried at a time."""
_SPENT: Final = 1 << 50


@dataclass(frozen=True, slots=True)
class Filled:
    """Calls that use a limit up, and one that is too many."""

    limit: CompiledLimit
    steps: tuple[Asking, ...]
    last: Sample
    time: datetime
    """When the last of the steps is asked."""

    @property
    def calls(self) -> int:
        """How many calls come before the last one."""
        return sum(one.repeat for one in self.steps)


@dataclass(slots=True)
class _Course:
    """Calls that are asked one after the other."""

    replay: Replay
    key: tuple[str, ...]
    fresh: Iterator[int]
    time: datetime
    steps: list[Asking] = field(default_factory=list)

    def add(self, one: Asking) -> None:
        """Note a call that was permitted."""
        last = self.steps[-1] if self.steps else None
        if last is not None and replace(last, repeat=1) == one:
            self.steps[-1] = replace(last, repeat=last.repeat + 1)
        else:
            self.steps.append(one)


class Filling:
    """Finds calls that use limits up.

    Args:
        compiled: The policy set.
        engine: Decides by it.
    """

    def __init__(self, compiled: Compiled, engine: Engine) -> None:
        self.engine = engine
        self.prices = prices_of(compiled)
        self._compiled = compiled
        self._reach = Reach(compiled)
        self._asked = Evaluated()
        self._declared: dict[int, tuple[Chain, Declared]] = {}
        self._made: list[Sample] | None = None
        self._values: dict[tuple[int, str], list[Any]] = {}
        self._listed = [
            number for one in compiled.policies.policies for number in numbers_in(one.policy.vars)
        ]
        self._others = [
            name.replace("*", "y").replace("?", "y")
            for one in compiled.policies.policies
            for name in one.policy.tools or {}
            if is_glob(name)
        ]
        self._names = names_of(compiled.policies.policies)

    def filled(
        self, limit: CompiledLimit, seed: Sample, start: datetime, *, share: float = 1.0
    ) -> Filled | None:
        """Return calls that use a limit up before a request like another; None if none are found.

        Args:
            limit: The limit.
            seed: The request, which counts towards it.
            start: When the first call is asked.
            share: How much of the limit is used up.
        """
        first = self.opened(_fresh(seed, start))
        if first is None or key_of(limit, first.request) is None:
            return None
        for last, calls in self._plans(limit, first, share):
            found = self._asked_in_turn(limit, last, calls, start)
            if found is not None:
                return found
        return None

    def opened(self, sample: Sample, fixed: frozenset[Place] = frozenset()) -> Sample | None:
        """Return a request that nothing denies in a new session, made of another."""
        if self._decided(sample).effect != "deny":
            return sample
        met, declared = self.met(sample)
        return Clearing(met, declared, self._asked, self._decided).cleared(sample, (), fixed)

    def met(self, sample: Sample) -> tuple[Chain, Declared]:
        """Return what a request meets, and what is declared there."""
        met = self._reach.of(sample.request).chain
        known = self._declared.get(id(met))
        if known is None:
            known = self._declared[id(met)] = met, Declared(met, self._compiled)
        return known

    def apart(
        self, limit: CompiledLimit, sample: Sample, parts: Sequence[str], fresh: Iterator[int]
    ) -> Iterator[Sample]:
        """Yield requests that count towards the same limit, and apart towards others.

        Args:
            limit: The limit.
            sample: The request to begin with.
            parts: What is another in each.
            fresh: Numbers for new names.
        """
        number, key = next(fresh), key_of(limit, sample.request)
        changed = sample
        for part in parts:
            for name in self._other_names(sample, part, number):
                other = moved(sample, part, name)
                if key_of(limit, other.request) == key and self._counts(limit, other):
                    yield other
                    together = moved(changed, part, name)
                    if key_of(limit, together.request) == key:
                        changed = together
        yield changed

    def _other_names(self, sample: Sample, part: str, number: int) -> list[Any]:
        """Return what else a part of what limits count by may be; not always in one order."""
        if not part.startswith("args."):
            return [*self._names.get(part, ()), f"{part}-{number}"]
        met, declared = self.met(sample)
        place = ("args", part.removeprefix("args."))
        if (id(met), part) not in self._values:
            fits = partial(declared.admits, place)
            listed = declared.others(place, ABSENT)
            made = islice(distinct(declared.plain(place), fits, []), _VALUES)
            self._values[id(met), part] = list(dict.fromkeys(chain(listed, made)))
        values = self._values[id(met), part]
        first = number % max(1, len(values))
        return [*values[first:], *values[:first]][:_OTHERS]

    def tools(self, limit: CompiledLimit, sample: Sample) -> Iterator[Sample]:
        """Yield requests for other names that count towards the same, by the same asker."""
        held = {_name(sample)}
        for other in self.made():
            if other.request.stage == sample.request.stage and _name(other) not in held:
                asked = as_asked_by(other, sample)
                if self._counts(limit, asked) and key_of(limit, asked.request) is not None:
                    held.add(_name(other))
                    yield asked
        for name in self._others if sample.request.stage == "tool_call" else ():
            named = replace(sample, request=replace(sample.request, tool=name))
            if name not in held and self._counts(limit, named):
                yield named

    def made(self) -> list[Sample]:
        """Return plain requests for all that the policy set speaks about."""
        if self._made is None:
            self._made = list(made_of(self._compiled))
        return self._made

    def asking(self, sample: Sample, usage: Usage | None = None) -> Asking:
        """Return a request as a step."""
        given = Given(sample.request, dict(sample.facts.answers), sample.facts.now)
        return Asking(given, usage=usage)

    def permitted(
        self, replay: Replay, sample: Sample, usage: Usage | None = None
    ) -> tuple[Asking, Decision] | None:
        """Ask for a call, and once more with an approval where it asks for one."""
        one = self.asking(sample, usage)
        decision = one.decided(replay)
        if decision.effect == "require_approval":
            one = approved(one, decision)
            decision = one.decided(replay)
        return (replace(one, effect=decision.effect), decision) if decision.permitted else None

    def _counts(self, limit: CompiledLimit, sample: Sample) -> bool:
        return any(one.name == limit.name for one in self._reach.of(sample.request).chain.limits)

    def _decided(self, sample: Sample) -> Decision:
        found = with_counters(sample, self.engine)
        return self.engine.decide(found.request, found.facts)

    def _plans(
        self, limit: CompiledLimit, first: Sample, share: float
    ) -> Iterator[tuple[Sample, list[tuple[Sample, int, Usage | None]]]]:
        """Yield a call that is too many, and how often which ones are asked before it."""
        goal = limit.max * share
        if limit.unit == "calls":
            # What a call used must be known before the next one.
            waits = any(not one.settled_now for one in self.met(first)[0].limits)
            yield first, [(first, int(goal), Usage(None, 0, 0) if waits else None)]
        elif limit.unit in ("tokens", "cost_usd"):
            for usage in self._usages(limit, first, goal):
                yield first, [(first, 1, usage)]
        else:
            yield from self._sums(limit, first, goal)

    def _usages(self, limit: CompiledLimit, first: Sample, goal: float) -> Iterator[Usage]:
        """Yield usage that comes to a number of tokens, or to a cost."""
        if limit.unit == "tokens":
            yield Usage(None, -int(-goal // 1), 0)
            return
        for position, price in enumerate(self.prices.get(first.request.model or "", ())):
            tokens = -int(-goal * 1_000_000 // price) if price > 0 else 0
            if 0 < tokens < _SPENT:
                yield Usage(None, *((tokens, 0) if position == 0 else (0, tokens)))

    def _sums(
        self, limit: CompiledLimit, first: Sample, goal: float
    ) -> Iterator[tuple[Sample, list[tuple[Sample, int, Usage | None]]]]:
        """Yield calls whose amounts add up to what is left before the last one."""
        place = ("args", limit.unit.removeprefix("args."))
        met, declared = self.met(first)
        known: dict[tuple[int, float], Sample | None] = {}

        def holding(base: Sample, amount: float) -> Sample | None:
            if (id(base), amount) not in known:
                put = with_argument(base, place[1], amount)
                known[id(base), amount] = self._opened_beside(put, place)
            return known[id(base), amount]

        bases = [
            base
            for amount in amounts_of(place, first, met, declared, self._listed)
            if (base := holding(first, amount)) is not None
        ]
        # Whoever may ask for much may ask for less as well.
        for base in bases[:_LASTS]:
            near = amounts_of(place, base, met, declared, self._listed)
            amounts = [one for one in near if holding(base, one) is not None]
            for least in amounts[::-1][:_LASTS]:
                for calls in _shares(goal, least, amounts):
                    samples: list[tuple[Sample, int, Usage | None]] = [
                        (one, n, None) for a, n in calls if (one := holding(base, a))
                    ]
                    last = holding(base, least)
                    if last is not None and len(samples) == len(calls):
                        yield last, samples

    def _opened_beside(self, sample: Sample, place: Place) -> Sample | None:
        """Open a request; where that fails, one in which a listed argument is another one."""
        fixed = frozenset({place})
        found = self.opened(sample, fixed)
        if found is not None:
            return found
        _, declared = self.met(sample)
        for name in declared.arguments:
            beside: Place = ("args", name)
            if beside != place and any("enum" in one for one in declared.schemas(beside)):
                for value in declared.others(beside, at_place(sample, beside)):
                    found = self.opened(with_argument(sample, name, value), fixed)
                    if found is not None:
                        return found
        return None

    def _asked_in_turn(
        self,
        limit: CompiledLimit,
        last: Sample,
        calls: Sequence[tuple[Sample, int, Usage | None]],
        start: datetime,
    ) -> Filled | None:
        """Ask for calls; None where one of them is not permitted whoever asks."""
        key = key_of(limit, last.request)
        if key is None or sum(times for _, times, _ in calls) > _MOST:
            return None
        course = _Course(Replay(self.engine, self.prices, start), key, count(2), start)
        asker = last
        for sample, times, usage in calls:
            for _ in range(times):
                found = self._next(limit, course, as_asked_by(sample, asker), usage)
                if found is None or len(course.steps) > _STEPS:
                    return None
                asker = found
        return Filled(limit, tuple(course.steps), last, course.time)

    def _next(
        self, limit: CompiledLimit, course: _Course, sample: Sample, usage: Usage | None
    ) -> Sample | None:
        """Ask for one call more, of another session or by somebody else if need be."""
        for one in self._around(limit, course, sample):
            if key_of(limit, one.request) != course.key:
                continue
            found = self.permitted(course.replay, one, usage)
            if found is None and self._prepared(course, one):
                found = self.permitted(course.replay, one, usage)
            if found is not None:
                course.time = one.facts.now or course.time
                course.add(found[0])
                return one
        return None

    def before(self, sample: Sample) -> list[Asking]:
        """Return what a session must have called, or carry, before a request in it."""
        now = sample.facts.now or NOON
        course = _Course(Replay(self.engine, self.prices, now), (), count(2), now)
        return course.steps if self._prepared(course, sample) else []

    def _prepared(self, course: _Course, sample: Sample) -> bool:
        """Ask for what a session must have called, or carry, before a request."""
        session = sample.facts.session
        if session is None or not (session.calls or session.labels):
            return False
        wanted = [
            *(partial(_is_of, tool) for tool in session.calls),
            *(partial(_carries, label) for label in session.labels),
        ]
        return all(self._ask_first(course, sample, fits) for fits in wanted)

    def _ask_first(self, course: _Course, sample: Sample, fits: Callable[[Decision], bool]) -> bool:
        for other in self.made():
            if other.request.stage != "tool_call":
                continue
            asked = self.opened(as_asked_by(other, _fresh(sample, course.time)))
            if asked is not None and fits(self._decided(asked)):
                found = self.permitted(course.replay, asked)
                if found is not None:
                    course.add(found[0])
                    return True
        return False

    def _around(self, limit: CompiledLimit, course: _Course, sample: Sample) -> Iterator[Sample]:
        at = at_time(sample, course.time)
        yield at
        met, _ = self.met(at)
        others = [one for one in met.limits if one.name != limit.name]
        by = dict.fromkeys(part for one in others for part in (*one.by, "session"))
        parts = [part for part in (*by, *PARTS) if part not in limit.by and part != "global"]
        yield from self.apart(limit, at, list(dict.fromkeys(parts)), course.fresh)
        yield from self.tools(limit, at)
        for window in sorted({_seconds(one.per) for one in others}):
            if window and (limit.per is None or window < _seconds(limit.per)):
                yield at_time(sample, course.time + timedelta(seconds=window))


def _is_of(tool: str, decision: Decision) -> bool:
    return decision.asked.tool == tool


def _carries(label: str, decision: Decision) -> bool:
    return label in decision.labels


def _shares(goal: float, least: float, amounts: Sequence[float]) -> Iterator[Calls]:
    """Yield ways to reach a sum that leaves too little for the least amount."""
    total = min(goal, goal + 1 - least)
    for whole in dict.fromkeys((total, float(int(total)), goal, float(int(goal)))):
        if whole + least > goal and whole >= 0:
            yield from islice(summed(whole, amounts), _WAYS)


def _seconds(per: float | str | None) -> float:
    return 86_400.0 if per == "day" else per if isinstance(per, float) else 0.0


def _fresh(sample: Sample, now: datetime) -> Sample:
    """Return a request in a session that is new, and not of a call that ran."""
    session = sample.request.session or "test"
    request = replace(sample.request, session=session, call_id=None, id=None)
    facts = replace(sample.facts, now=now, session=Session(started=now), counters={})
    return Sample(request, facts)


def at_time(sample: Sample, now: datetime) -> Sample:
    """Return a request as it is asked at a time."""
    return replace(sample, facts=replace(sample.facts, now=now))


def _name(sample: Sample) -> str | None:
    request = sample.request
    return request.tool or request.target or request.model
