"""Printed calls as tests: what to expect of them, and what must be asked before them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from policy_engine.compiler import TEXT_OF, Compiled
from policy_engine.decision import EFFECTS, ApprovalNeeded, Decision, Timeout
from policy_engine.decision.wire import Given, read_request
from policy_engine.engine import Engine
from policy_engine.errors import Location, RequestError
from policy_engine.testing.mutation import Verdict
from policy_engine.testing.outcome import Summary
from policy_engine.testing.output.before import Before
from policy_engine.testing.reading.tests import START
from policy_engine.testing.replay import Replay, prices_of
from policy_engine.testing.search.asking import as_steps, duration
from policy_engine.testing.search.shown import Standing

__all__ = ["Pasted", "Pasting", "as_expected", "as_line"]

_FORMAL: Final = frozenset({"args.additionalProperties", "args.required", "default.deny"})
"""Reasons that a misspelt name would have too: a test that means one names it."""
_PLAIN: Final = re.compile(r"[a-z0-9]+[a-z][\w/.*~-]*|[a-z][\w/.*~-]*")
"""What YAML takes without quotes."""
_WORDS: Final = frozenset({"true", "false", "null"})
_MANY: Final = 400
"""So many printed requests are looked at for calls that may come before others."""
_LONG: Final = 40
"""So many equal characters or items are written short."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """A printed call as a test."""

    expect: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...] | None
    """The steps of a test that ends with the call; None where none were found.

    It is the only step where nothing has to be asked before it.
    """
    whole: bool = False
    """Whether what must be done for the call matters beside the effect."""

    @property
    def takes_steps(self) -> bool:
        """Whether a test takes steps: others come before the call, or it uses something."""
        return self.steps is not None and (len(self.steps) > 1 or "usage" in self.steps[-1])

    @property
    def says_more(self) -> bool:
        """Whether a test must expect more than the effect, or what that is has not been said."""
        return self.whole or len(self.expect) > 1


class Pasting:
    """Says how calls are pasted into tests.

    Args:
        summary: The run: its policy sets, and the requests of its tests.
    """

    def __init__(self, summary: Summary) -> None:
        self._sets: list[tuple[Compiled, Engine, Before]] = []
        shown = list(islice(_shown(summary), _MANY))
        for path, compiled in summary.policies.items():
            asked = [
                step.given
                for suite, result in summary.results
                if suite.policies == path
                for step in result.case.steps
            ]
            engine = Engine(compiled)
            self._sets.append((compiled, engine, Before(compiled, engine, [*asked, *shown])))

    def witness(self, one: Verdict) -> Pasted | None:
        """Return the call that tells a mutant apart as a test."""
        found = one.witness
        if found is None:
            return None
        whole = found.policy not in EFFECTS
        return self.of(one.location, found.request, found.standing, whole=whole)

    def of(
        self,
        location: Location,
        request: Mapping[str, Any],
        standing: Standing,
        *,
        whole: bool = False,
    ) -> Pasted | None:
        """Return a call as a test; None where it is none that a test could ask.

        Args:
            location: Where the part of a policy stands that the call is printed for.
            request: The request as JSON values.
            standing: What is known of the session and of counters.
            whole: Whether what must be done for the call matters beside the effect.
        """
        for compiled, engine, before in self._sets:
            loaded = compiled.policies.policies
            if all(one.document.path != location.path for one in loaded):
                continue
            try:
                given = read_request({"session": "test", **request})
            except RequestError:
                return None
            found = before.steps(given, standing)
            if found is None:
                return Pasted(expected(before.decided(given, standing), whole=whole), None, whole)
            replay = Replay(engine, prices_of(compiled), given.now or START)
            for step in found:
                decision = step.decided(replay)
            expect = expected(decision, whole=whole)
            if whole and replay.alerts:
                expect["alerts"] = sorted(replay.alerts)
            *told, last = as_steps(found)
            if not standing.steps:
                last = {**request}
            return Pasted(expect, (*told, {**last, "expect": expect}), whole)
        return None


def _shown(summary: Summary) -> Iterator[Given]:
    """Yield the requests that are printed themselves: some of them are permitted."""
    for covered in summary.covered or ():
        for idea in covered.ideas.values():
            if idea.standing == Standing(used=idea.standing.used):
                with suppress(RequestError):
                    yield read_request({"session": "test", **idea.request})


def expected(decision: Decision, *, whole: bool = False) -> dict[str, Any]:
    """Return what to expect of a request, as a test says it.

    Args:
        decision: What is decided of it.
        whole: Whether what must be done for it matters beside the effect.
    """
    spoke = [r for r in decision.reasons if r.enforced and r.effect == decision.effect]
    told = [reason for reason in spoke if not reason.code.endswith(".cannot_tell")]
    key, rules = "rules", [reason.rule for reason in told if reason.code in _FORMAL]
    if spoke and not told:
        key, rules = "cannot_tell", [reason.rule for reason in spoke]
    named = {key: list(dict.fromkeys(rules))} if rules else {}
    return {"effect": decision.effect, **named, **(dict(_owed(decision)) if whole else {})}


def _owed(decision: Decision) -> Iterator[tuple[str, Any]]:
    """Yield what a test can expect beside the effect and the rules: key and value."""
    if decision.would != decision.effect:
        yield "would", decision.would
    part = TEXT_OF.get(decision.asked.stage)
    if part is not None and decision.request != decision.asked:
        yield part, getattr(decision.request, part)
    if decision.labels:
        yield "labels", sorted(decision.labels)
    approvals = {
        one.rule: {
            "approvers": sorted(one.approvers),
            "quorum": one.quorum,
            "expires": duration(timedelta(seconds=one.expires)),
        }
        for one in decision.obligations
        if isinstance(one, ApprovalNeeded)
    }
    if approvals:
        yield "approvals", approvals
    for one in decision.obligations:
        if isinstance(one, Timeout):
            yield "timeout", duration(timedelta(seconds=one.seconds))


def as_line(value: Mapping[str, Any]) -> str:
    """Return JSON values in one line, as a test takes them: long ones are written short."""
    return json.dumps(_short(value), ensure_ascii=False, default=str)


def as_expected(value: Any) -> str:
    """Return an expectation in one line, as a test takes it."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_word(key)}: {as_expected(it)}' for key, it in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_expected, value))}]"
    return _word(value) if isinstance(value, str) else json.dumps(value, default=str)


def _word(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) is not None and text not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _short(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, str) and len(value) > _LONG:
        parts = list(_runs(value))
        is_short = len(parts) == 1 or sum(len(text) + 8 for text, _ in parts) < len(value)
        if is_short and any(times > 1 for _, times in parts):
            return {"$text": [text if times == 1 else [text, times] for text, times in parts]}
    if isinstance(value, list):
        first = value[0] if value else None
        if len(value) > _LONG and all(type(one) is type(first) and one == first for one in value):
            return {"$list": [_short(first), len(value)]}
        return [_short(item) for item in value]
    return value


def _runs(text: str) -> Iterable[tuple[str, int]]:
    """Cut a text into pieces, and single signs that stand there many times."""
    kept, i = "", 0
    while i < len(text):
        end = i
        while end < len(text) and text[end] == text[i]:
            end += 1
        if end - i > _LONG:
            if kept:
                yield kept, 1
            yield text[i], end - i
            kept = ""
        else:
            kept += text[i:end]
        i = end
    if kept:
        yield kept, 1
