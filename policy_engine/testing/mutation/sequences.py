"""Calls one after the other that tell the mutant of a limit apart from the policy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Final
from zoneinfo import ZoneInfo

from policy_engine.compiler import Compiled, CompiledLimit
from policy_engine.engine import Engine
from policy_engine.policy import Limit
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.replay import Replay
from policy_engine.testing.search.asking import Asking
from policy_engine.testing.search.filling import NOON, Filled, Filling, at_time
from policy_engine.testing.search.moved import PARTS
from policy_engine.testing.search.sample import Sample
from policy_engine.testing.search.shown import Witness, shown_after

__all__ = ["Sequences"]

_SEEDS: Final = 6
_LASTS: Final = 40
"""So many calls are tried after others."""
_BEGUN: Final = 4
_MOST: Final = 60_000
"""So many calls are asked for one mutant."""
_HOURS: Final = (0, 8, 12, 16, 20, 4)
_LATER: Final = (3, 13, 1, 6, 9, 16, 23)
_TIMES: Final = 24


@dataclass(frozen=True, slots=True)
class _Change:
    """A limit, and what became of it."""

    limit: CompiledLimit
    old: Limit
    new: Limit | None
    """None where it is gone."""

    @property
    def parts(self) -> list[str]:
        """What it counts apart by now."""
        return [] if self.new is None else [one for one in self.new.by if one not in self.old.by]

    @property
    def is_of_tools(self) -> bool:
        """Whether it counts other tools now, or each apart."""
        return self.new is not None and (self.new.tools != self.old.tools or "tool" in self.parts)

    @property
    def only_alerts(self) -> bool:
        """Whether all that is different is when it alerts."""
        return self.new is not None and self.new == self.old.model_copy(
            update={"alert_at": self.new.alert_at}
        )


class Sequences:
    """Looks for calls after which a mutant's limit decides another one differently.

    Args:
        compiled: The policy set.
        engine: Decides by it.
    """

    def __init__(self, compiled: Compiled, engine: Engine) -> None:
        self._compiled = compiled
        self._engine = engine
        self._filling = Filling(compiled, engine)
        self._known: dict[tuple[str, int, datetime, float], tuple[Sample, Filled | None]] = {}

    def apart(self, mutant: Mutant, other: Engine, seeds: Sequence[Sample]) -> Witness | None:
        """Return a call, and those before it, that a mutant decides differently.

        Args:
            mutant: What was changed.
            other: Decides by the mutant.
            seeds: Requests that count towards the limit.
        """
        change = self._change(mutant)
        left = _MOST
        for seed in _of_each_name(seeds):
            for start, later in islice(_times(change, seed.facts.now or NOON), _TIMES):
                filled = self._filled(change.limit, seed, start)
                if filled is None or left < 0:
                    continue
                left -= 2 * filled.calls
                found = None if change.only_alerts else self._told(change, filled, later, other)
                if found is None and change.old.alert_at is not None:
                    some = self._filled(change.limit, seed, start, change.old.alert_at)
                    found = self._alerted(filled, other)
                    if found is None and some is not None:
                        found = self._alerted(some, other)
                if found is not None:
                    return found
        return None

    def is_of_counting(self, mutant: Mutant) -> bool:
        """Whether a mutant's limit counts otherwise, so that only calls before another one tell."""
        old, new = (change := self._change(mutant)).old, change.new
        if new is None or old.mode != new.mode:
            return False
        return new != old.model_copy(update={"max": new.max})

    def _change(self, mutant: Mutant) -> _Change:
        parts = self._compiled.parts[mutant.index]
        old = parts.loaded.policy.limits[int(mutant.unit[1])]
        (limit,) = [one for one in parts.limits if one.name == mutant.name]
        new = next((one for one in mutant.policy.limits if one.id == old.id), None)
        return _Change(limit, old, new)

    def _filled(
        self, limit: CompiledLimit, seed: Sample, start: datetime, share: float = 1.0
    ) -> Filled | None:
        place = (limit.name, id(seed), start, share)
        if place not in self._known:
            found = self._filling.filled(limit, seed, start, share=share)
            self._known[place] = seed, found
        return self._known[place][1]

    def _told(
        self, change: _Change, filled: Filled, later: timedelta, other: Engine
    ) -> Witness | None:
        """Ask for the calls, and for one that is too many, of both."""
        start = filled.steps[0].given.now if filled.steps else filled.time
        both = [
            Replay(engine, self._filling.prices, start or filled.time)
            for engine in (self._engine, other)
        ]
        for i, one in enumerate(filled.steps):
            effects = [one.decided(replay).effect for replay in both]
            if effects[0] != effects[1]:
                if one.repeat > 1:
                    return None
                return shown_after(one, filled.steps[:i], *effects)
        now = filled.time + later
        steps = list(filled.steps)
        for last in islice(self._lasts(change, filled), _LASTS):
            at = at_time(last, now)
            one = self._filling.asking(at)
            if at.request.session != filled.last.request.session:
                for first in self._filling.before(at):
                    steps.append(first)
                    for replay in both:
                        first.decided(replay)
            before, after = (replay.would_decide(one.given).effect for replay in both)
            if before != after:
                return shown_after(one, steps, before, after)
        return None

    def _lasts(self, change: _Change, filled: Filled) -> Iterator[Sample]:
        limit, last, fresh = filled.limit, filled.last, count(90)
        parts = [part for part in (*self._parts(last), *PARTS) if part not in change.old.by]
        known = list(dict.fromkeys(parts))
        begun = [last]
        if change.parts:
            others = [part for part in change.parts if part != "tool"]
            begun = [*self._filling.apart(limit, last, others, fresh), last]
        if change.is_of_tools:
            begun = [*self._filling.tools(limit, last), *begun]
        yield from begun
        for one in begun[:_BEGUN]:
            left = [part for part in known if part not in change.parts]
            for other in self._filling.apart(limit, one, left, fresh):
                yield other
                if change.is_of_tools:
                    yield from self._filling.tools(limit, other)

    def _parts(self, sample: Sample) -> Iterator[str]:
        """Yield what the limits of a call count by."""
        met, _ = self._filling.met(sample)
        yield from (part for one in met.limits for part in one.by if part != "global")

    def _alerted(self, filled: Filled, other: Engine) -> Witness | None:
        """Ask for the calls one by one until somebody is alerted."""
        start = filled.steps[0].given.now if filled.steps else filled.time
        both = [
            Replay(engine, self._filling.prices, start or filled.time)
            for engine in (self._engine, other)
        ]
        before: list[Asking] = []
        for one in filled.steps:
            single = replace(one, repeat=1)
            for turn in range(one.repeat):
                effects = [single.decided(replay).effect for replay in both]
                alerts = [", ".join(sorted(replay.alerts)) or "nothing" for replay in both]
                if effects[0] == effects[1] and alerts[0] != alerts[1]:
                    prior = [*before, replace(one, repeat=turn)] if turn else before
                    return shown_after(single, prior, *(f"alerts: {one}" for one in alerts))
            before.append(one)
        return None


def _of_each_name(seeds: Sequence[Sample]) -> list[Sample]:
    """Return a few requests, those for different names first."""
    named: dict[tuple[str | None, ...], list[Sample]] = {}
    for seed in seeds:
        request = seed.request
        named.setdefault((request.tool, request.target, request.model), []).append(seed)
    most = max((len(found) for found in named.values()), default=0)
    rows = ([found[i] for found in named.values() if i < len(found)] for i in range(most))
    return [seed for row in rows for seed in row][:_SEEDS]


def _times(change: _Change, now: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """Yield when the first call is asked, and how much later the last one is."""
    old, new = change.old, change.new
    if new is None or (old.per, old.timezone) == (new.per, new.timezone):
        yield now, timedelta()
    elif isinstance(old.per, float):
        yield now, timedelta(seconds=old.per * 3 / 4)
    elif old.per is None:
        yield now, timedelta(days=1)
    else:
        for start in (now, *(now.replace(hour=hour, minute=0) for hour in _HOURS)):
            for hours in _LATER:
                later = timedelta(hours=hours)
                if _is_told(old, new, start, start + later):
                    yield start, later


def _is_told(old: Limit, new: Limit, first: datetime, last: datetime) -> bool:
    """Whether two moments are in one day, and in two of what became of it."""
    zone = ZoneInfo(old.timezone)
    if first.astimezone(zone).date() != last.astimezone(zone).date():
        return False
    if isinstance(new.per, float):
        return (last - first).total_seconds() > new.per
    other = ZoneInfo(new.timezone)
    return first.astimezone(other).date() != last.astimezone(other).date()
