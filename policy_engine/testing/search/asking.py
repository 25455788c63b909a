"""A step of a test: a request, when and how often it is asked, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from policy_engine.decision import Decision, Facts, Request
from policy_engine.decision.wire import Given
from policy_engine.testing.replay import Replay, Usage

__all__ = ["Asking", "approved", "as_steps", "duration", "request_values"]

_UNITS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
"""Unit of durations -> how many thousandths of a second it has."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A step of a test: a request, what goes with it, and what comes of it."""

    given: Given
    repeat: int = 1
    usage: Usage | None = None
    approved: tuple[str, ...] = ()
    effect: str = ""

    def decided(self, replay: Replay) -> Decision:
        """Decide it as often as it is asked, and return the last decision."""
        answered = dict.fromkeys(self.approved, "approved")
        for _ in range(self.repeat):
            decision = replay.decide(self.given, usage=self.usage, answered=answered)
        return decision

    def wire(self) -> dict[str, Any]:
        """Return it as a step of a test file."""
        request, answers, now = self.given.request, self.given.answers, self.given.now
        values = request_values(request, Facts(now=now, answers=answers or {}))
        if self.repeat > 1:
            values["repeat"] = self.repeat
        if self.usage is not None:
            used = self.usage
            tokens = {"input_tokens": used.input_tokens, "output_tokens": used.output_tokens}
            values["usage"] = tokens
        if self.approved:
            values["approved"] = list(self.approved)
        return {**values, "expect": {"effect": self.effect}}


def approved(one: Asking, decision: Decision) -> Asking:
    """Return a step with an approval for whatever asks for one."""
    asking = (r.rule for r in decision.reasons if r.effect == "require_approval" and r.enforced)
    return replace(one, approved=tuple(dict.fromkeys(asking)))


def as_steps(askings: Sequence[Asking]) -> list[dict[str, Any]]:
    """Return askings as steps of a test file; a later one says how much later it is."""
    steps: list[dict[str, Any]] = []
    for before, one in zip((None, *askings), askings, strict=False):
        step = one.wire()
        earlier = None if before is None else before.given.now
        now = one.given.now
        if earlier is not None and now is not None and now > earlier:
            del step["now"]
            expect = step.pop("expect")
            step = {**step, "after": duration(now - earlier), "expect": expect}
        steps.append(step)
    return steps


def duration(length: timedelta) -> str:
    """Return a duration as policies and tests write it."""
    thousandths = round(length / timedelta(milliseconds=1))
    for unit, size in _UNITS.items():
        if thousandths % size == 0:
            return f"{thousandths // size}{unit}"
    return f"{thousandths}ms"


def request_values(request: Request, facts: Facts) -> dict[str, Any]:
    """Return a request, and what is known beside it, as a test file has it."""
    values: dict[str, Any] = {}
    for name in type(request).__slots__:
        value = getattr(request, name)
        if value is not None and not (name == "stage" and value == "tool_call"):
            values[name] = value
    if facts.answers:
        values["facts"] = dict(facts.answers)
    if facts.now is not None:
        values["now"] = facts.now.isoformat()
    return values
