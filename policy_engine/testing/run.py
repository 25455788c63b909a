"""Runs cases: what was decided against what was expected."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from policy_engine.decision import ApprovalNeeded, Decision, Facts, Timeout
from policy_engine.engine import Engine
from policy_engine.errors import Location
from policy_engine.policy.words import choices, number, quoted
from policy_engine.testing.case import Asked, Case, Expected, Step
from policy_engine.testing.replay import Prices, Replay

__all__ = ["Failure", "Result", "Watcher", "passes", "run_case"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A step whose decision is not what was expected."""

    location: Location
    step: int
    """From 1."""
    turn: int
    """Which repetition, from 1."""
    differences: tuple[str, ...]
    """Each says what was expected and what came."""
    reasons: tuple[str, ...]
    """The rules that spoke, each with its effect and place."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case."""

    case: Case
    failures: tuple[Failure, ...]
    decisions: int
    doubts: tuple[tuple[Location, str], ...] = ()
    """Where a step comes as expected only because a rule cannot tell, and what to write."""

    @property
    def passed(self) -> bool:
        """Whether every step came as expected."""
        return not self.failures


_ANSWERED: Final = frozenset({"approval.approved", "approval.rejected"})
"""How a rule speaks that asked for an approval, and was answered."""
_UNTOLD: Final = ".cannot_tell"
"""How the code of a reason ends that speaks in doubt."""
Watcher: TypeAlias = Callable[[Decision, Facts], None]
"""Is told of every decision, with the facts that it saw."""


def run_case(engine: Engine, prices: Prices, case: Case, watch: Watcher | None = None) -> Result:
    """Decide the requests of a case in order, and compare.

    Args:
        engine: What decides.
        prices: What models cost.
        case: The requests and what is expected.
        watch: Is told of every decision.
    """
    replay = Replay(engine, prices, case.start)
    failures: list[Failure] = []
    doubts: dict[Location, str] = {}
    decisions = 0
    for position, step in enumerate(case.steps, 1):
        for turn in range(1, step.repeat + 1):
            decision = _decide(replay, step)
            decisions += 1
            if watch is not None:
                watch(decision, replay.facts)
            differences = tuple(_differences(step, decision, replay.alerts))
            if differences:
                reasons = tuple(_spoke(decision))
                place = step.location if step.expected is None else step.expected.location
                failures.append(Failure(place, position, turn, differences, reasons))
                break
            doubt = None if step.expected is None else _doubt(step.expected, decision)
            if step.expected is not None and doubt is not None:
                doubts.setdefault(step.expected.location, doubt)
    return Result(case, tuple(failures), decisions, tuple(doubts.items()))


def passes(engine: Engine, prices: Prices, case: Case) -> bool:
    """Tell whether a case comes as expected; the rest of it is not run once it does not."""
    replay = Replay(engine, prices, case.start)
    for step in case.steps:
        for _ in range(step.repeat):
            decision = _decide(replay, step)
            for _difference in _differences(step, decision, replay.alerts):
                return False
    return True


def _decide(replay: Replay, step: Step) -> Decision:
    return replay.decide(step.given, usage=step.usage, answered=step.answered, after=step.after)


def _differences(step: Step, decision: Decision, alerts: Sequence[str]) -> Iterator[str]:
    if step.expected is not None:
        yield from _unmet(step.expected, decision)
        wanted = step.expected.alerts
        if wanted is not None and wanted != set(alerts):
            told = choices(sorted(alerts)) or "none"
            yield f"expected the alerts: {choices(sorted(wanted)) or 'none'}; got: {told}"
    if step.answered and step.strict:
        asked = {one.rule for one in decision.reasons if one.code in _ANSWERED}
        for rule, answer in step.answered.items():
            if rule not in asked:
                yield f"{quoted(rule)} is {answer} here, and does not ask"


def _unmet(expected: Expected, decision: Decision) -> Iterator[str]:
    """Say what is not as it is expected."""
    if expected.effect not in (None, decision.effect):
        yield f"expected {expected.effect}, got {decision.effect}"
    if expected.would not in (None, decision.would):
        yield f"expected that it would be {expected.would}, it would be {decision.would}"
    yield from _unspoken(expected, decision)
    if expected.message not in (None, decision.message):
        yield f'expected the message "{expected.message}", got "{decision.message}"'
    for part, value in expected.values.items():
        got = getattr(decision.request, part)
        if not _same(got, value):
            yield f"expected the {part} {_shown(value)}, got {_shown(got)}"
    yield from _obliged(expected, decision)


def _unspoken(expected: Expected, decision: Decision) -> Iterator[str]:
    """Say which rules did not speak as they should."""
    decided, untold = _decided(decision)
    for rule in expected.rules:
        if rule not in decided | untold:
            yield f"expected {quoted(rule)} to decide"
    if expected.any_of and (decided | untold).isdisjoint(expected.any_of):
        yield f"expected {' or '.join(map(quoted, expected.any_of))} to decide"
    yield from _untold(expected, decided, untold)
    watching = {reason.rule for reason in decision.reasons if not reason.enforced}
    for rule in expected.observed:
        if rule not in watching:
            yield f"expected {quoted(rule)} to be observed"


def _untold(expected: Expected, decided: set[str], untold: set[str]) -> Iterator[str]:
    """Say where a doubt decides and is not expected, or is expected and does not decide."""
    for rule in expected.cannot_tell or ():
        if rule not in untold:
            what = "it matches" if rule in decided else "it does not decide"
            yield f"expected that {quoted(rule)} cannot tell, and {what}"
    if expected.cannot_tell == () and untold:
        yield f"expected that each rule can tell, and {choices(sorted(untold))} cannot"


def _doubt(expected: Expected, decision: Decision) -> str | None:
    """Say of a decision that comes as expected, and of doubt alone, that it does."""
    decided, untold = _decided(decision)
    if decided or not untold or expected.cannot_tell is not None or expected.effect is None:
        return None
    rules = sorted(untold)
    return (
        f"{decision.effect} only because {choices(rules)} cannot tell: "
        f"to mean that, expect `cannot_tell: [{', '.join(rules)}]`"
    )


def _decided(decision: Decision) -> tuple[set[str], set[str]]:
    """Return the rules that decide because they match, and the others that cannot tell."""
    spoke = [r for r in decision.reasons if r.enforced and r.effect == decision.effect]
    decided = {reason.rule for reason in spoke if not reason.code.endswith(_UNTOLD)}
    return decided, {reason.rule for reason in spoke} - decided


def _obliged(expected: Expected, decision: Decision) -> Iterator[str]:
    if expected.labels is not None and expected.labels != set(decision.labels):
        wanted, labels = choices(sorted(expected.labels)), choices(decision.labels)
        yield f"expected the labels: {wanted or 'none'}; got: {labels or 'none'}"
    asked = {item.rule: item for item in decision.obligations if isinstance(item, ApprovalNeeded)}
    for asking, approval in expected.approvals.items():
        if asking not in asked:
            yield f"expected {quoted(asking)} to ask for an approval"
        elif not _asks(approval, asked[asking]):
            item = asked[asking]
            yield (
                f"expected {quoted(asking)} to ask for another approval, it asks for {item.quorum} "
                f"of {', '.join(item.approvers)} within {number(item.expires)} s"
            )
    if expected.timeout is not None:
        given = [item.seconds for item in decision.obligations if isinstance(item, Timeout)]
        if expected.timeout not in given:
            shown = f"{number(given[0])} s" if given else "none"
            yield f"expected a timeout of {number(expected.timeout)} s, got {shown}"


def _asks(wanted: Asked, item: ApprovalNeeded) -> bool:
    return (
        (wanted.approvers is None or wanted.approvers == set(item.approvers))
        and wanted.quorum in (None, item.quorum)
        and wanted.expires in (None, item.expires)
    )


def _same(got: object, wanted: object) -> bool:
    """Compare JSON values: true is not 1."""
    if isinstance(got, dict) and isinstance(wanted, dict):
        return got.keys() == wanted.keys() and all(_same(got[k], wanted[k]) for k in got)
    if isinstance(got, list) and isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(_same, got, wanted))
    return got == wanted and isinstance(got, bool) == isinstance(wanted, bool)


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 200 else text[:199] + "…"


def _spoke(decision: Decision) -> Iterator[str]:
    for reason in decision.reasons:
        effect = reason.effect if reason.enforced else f"{reason.effect}, observed"
        place = "" if reason.location is None else f" at {reason.location}"
        yield f"{reason.rule} ({effect}, {reason.code}){place}"
