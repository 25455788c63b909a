"""Requests that nothing denies but what is meant: only there a difference can be seen."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from policy_engine.compiler import Chain, CompiledRule
from policy_engine.decision import Decision, Reason
from policy_engine.testing.search.declared import Declared
from policy_engine.testing.search.evaluated import Evaluated
from policy_engine.testing.search.lists import Goal
from policy_engine.testing.search.places import Place, at_place, clash, put
from policy_engine.testing.search.sample import ABSENT, Sample
from policy_engine.testing.search.turning import Turning

__all__ = ["Clearing"]

_STEPS: Final = 8
_TRIED: Final = 6
_KEYS: Final[Mapping[str, Place]] = {
    "session": ("session", "id"),
    "principal": ("principal", "id"),
    "tenant": ("principal", "tenant"),
    "agent": ("agent",),
}
"""A part of what limits count by -> where it stands."""
_NO: Final = (ABSENT, "")
_SOMEBODY: Final = "somebody"


class Clearing:
    """Turns what else denies requests.

    Args:
        met: What the requests meet.
        declared: What values must fit.
        asked: Asks parts of conditions.
        decide: Decides by the policy set.
    """

    def __init__(
        self,
        met: Chain,
        declared: Declared,
        asked: Evaluated,
        decide: Callable[[Sample], Decision],
    ) -> None:
        self._rules = {rule.name: rule for rule in met.rules}
        self._met = met
        self._declared = declared
        self._asked = asked
        self._decide = decide

    def cleared(
        self, sample: Sample, meant: Iterable[str], fixed: frozenset[Place]
    ) -> Sample | None:
        """Return a sample that only what is meant denies, if anything; None if none is found.

        Args:
            sample: What to change.
            meant: The names under which what is meant denies.
            fixed: Places that nothing else is put at.
        """
        names = frozenset(meant)
        others = self._others(sample, names)
        if len(others) > 0:
            # One rule turned may make another one match, so that all are turned together.
            fitting = next(self._fitting(sample, fixed))
            for one in islice(self._together(fitting, names, fixed), _TRIED):
                left = self._others(one, names)
                if len(left) < len(others):
                    sample, others = one, left
        for _ in range(_STEPS):
            if not others:
                return sample
            best = None
            for one in self._around(sample, others[0], fixed):
                left = self._others(one, names)
                if len(left) < len(others):
                    best = one, left
                    break
            if best is None:
                return None
            sample, others = best
        return sample if not others else None

    def _together(
        self, sample: Sample, names: frozenset[str], fixed: frozenset[Place]
    ) -> Iterator[Sample]:
        goals: list[Goal] = [
            (rule.condition.tree, False)
            for rule in self._rules.values()
            if rule.condition is not None
            and rule.enforced
            and rule.effect == "deny"
            and rule.check is None
            and rule.name not in names
        ]
        turning = Turning(self._declared, self._asked, fixed, most=300)
        return turning.together(goals, sample)

    def _others(self, sample: Sample, names: frozenset[str]) -> list[Reason]:
        return [
            one
            for one in self._decide(sample).reasons
            if one.enforced and one.effect == "deny" and one.rule not in names
        ]

    def _around(self, sample: Sample, reason: Reason, fixed: frozenset[Place]) -> Iterator[Sample]:
        rule = self._rules.get(reason.rule)
        if rule is not None and rule.condition is not None:
            yield from self._turned(rule, sample, fixed)
        elif reason.code.startswith("args."):
            yield from self._fitting(sample, fixed)
        elif reason.code == "limit.cannot_tell":
            yield from self._keyed(sample, reason.rule, fixed)

    def _keyed(self, sample: Sample, name: str, fixed: frozenset[Place]) -> Iterator[Sample]:
        """Give a limit by whom it counts."""
        found = sample
        for limit in self._met.limits:
            for part in limit.by if limit.name == name else ():
                place = _KEYS.get(part)
                if place is not None and not clash(place, fixed) and at_place(found, place) in _NO:
                    found = put(found, place, _SOMEBODY) or found
        yield found

    def _turned(
        self, rule: CompiledRule, sample: Sample, fixed: frozenset[Place]
    ) -> Iterator[Sample]:
        assert rule.condition is not None  # noqa: S101 - asked before
        turning = Turning(self._declared, self._asked, fixed, most=200)
        for guard in rule.guards:
            place = ("principal", "attrs", guard.name) if guard.place == "attrs" else None
            at = place or (guard.place, guard.name)
            if not guard.holds(sample.request, sample.facts) and not clash(at, fixed):
                sample = put(sample, at, self._declared.plain(at)) or sample
        yield sample
        yield from islice(turning.turned(rule.condition.tree, sample, to=False), _TRIED)

    def _fitting(self, sample: Sample, fixed: frozenset[Place]) -> Iterator[Sample]:
        """Give every argument that does not fit another value."""
        found = sample
        for name in dict.fromkeys((*self._declared.arguments, *(sample.request.args or {}))):
            place: Place = ("args", name)
            if clash(place, fixed) or not self._is_wrong(found, name):
                continue
            declared = self._declared.schemas(place)
            value = self._declared.plain(place)
            if not declared or self._declared.is_optional(place):
                value = ABSENT
            found = put(found, place, value) or found
        yield found

    def _is_wrong(self, sample: Sample, name: str) -> bool:
        value = at_place(sample, ("args", name))
        declared = self._declared.schemas(("args", name))
        if value is ABSENT:
            return bool(declared) and not self._declared.is_optional(("args", name))
        args = {} if value is ABSENT else {name: value}
        for constraint in self._met.constraints:
            faults = [one for one in constraint.arguments.faults(args) if one.argument == name]
            if faults:
                return True
        return False
