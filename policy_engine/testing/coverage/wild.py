"""Requests in which everything that a condition reads is drawn by lot, out of what it names.

The lots are the same each time: what is looked for must not be found on some days only.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any, Final

from policy_engine.cel import Condition
from policy_engine.compiler import Chain, Compiled
from policy_engine.decision import Calls, Session
from policy_engine.lint.proof.regexes import sample as texts_of
from policy_engine.testing.coverage.corpus import Corpus
from policy_engine.testing.search.near import literals_of
from policy_engine.testing.search.sample import ABSENT, Sample, held_in, with_argument
from policy_engine.testing.search.values import plain

__all__ = ["drawn"]

_WRONG: Final[tuple[Any, ...]] = ({"unlike": [1]}, [], "mallory", 7, True, [7], None)
_MOST: Final = 400
_LIKELY: Final = 20
"""So many numbers are drawn more often."""
_ROWS: Final = 4
_DEEP: Final = 5
_BY_STEPS: Final = 0.6
"""How often a sample differs from another one in one thing or two only."""
_ODD: Final = 0.12
"""How often a thing is absent; and how often it has another type."""


def drawn(
    condition: Condition, met: Chain, compiled: Compiled, seed: Sample, corpus: Corpus
) -> Iterator[Sample]:
    """Yield samples in which what a condition reads is drawn by lot, without end.

    Args:
        condition: The condition.
        met: What the requests meet.
        compiled: The policy set.
        seed: The request to begin with.
        corpus: Requests that others differ from in one thing or two.
    """
    draw = _Draw(condition, seed)
    slots = list(_slots(condition, met, compiled))
    while True:
        sample, chosen = seed, slots
        if slots and draw.random.random() < _BY_STEPS:
            sample = corpus.pick(draw.random, seed)
            chosen = draw.random.choices(slots, k=draw.random.choice((1, 1, 2)))
        for change in chosen:
            sample = change(sample, draw)
        yield sample


class _Draw:
    """Draws values of schemas."""

    def __init__(self, condition: Condition, seed: Sample) -> None:
        self.random = random.Random(condition.text)  # noqa: S311 - the same each time
        named = list(dict.fromkeys(literals_of(condition.tree)))
        texts = [one for one in named if isinstance(one, str)]
        self.times = list(_times(texts))
        texts.extend(one for text in texts[:_LIKELY] for one in texts_of(text) if one != text)
        held = list(islice((one for one in held_in(seed, _ROWS) if isinstance(one, str)), 8))
        joined = (a + b for a in texts for b in (*texts, *held))
        odd = ("", "mallory", "x")
        self.texts = list(islice(dict.fromkeys(chain(texts, held, odd, joined)), _MOST))
        near = (one + more for one in texts for more in ("x", "@x", "/x"))
        self.texts.extend(near)
        self.named = texts or list(odd)
        numbers = [float(one) for one in named if isinstance(one, int | float)] or [0.0, 1.0]
        pairs = [(a, b) for a in numbers for b in numbers]
        shares = [a / b for a, b in pairs if b and a != b]
        computed = chain(
            numbers,
            (one for one in shares if one.is_integer()),
            (a + b for a, b in pairs),
            (a - b for a, b in pairs),
            (a * b for a, b in pairs),
            shares,
        )
        exact = list(islice(dict.fromkeys(computed), _MOST))
        self.exact = exact[:_LIKELY]
        self.numbers = list(dict.fromkeys(one + more for one in exact for more in (0, 1, -1, 0.5)))
        self._makers: dict[Any, Callable[[Any, int], Any]] = {
            "string": self._text,
            "number": self._number,
            "integer": lambda schema, depth: int(self._number(schema, depth)),
            "boolean": lambda *_: self.random.random() < 0.5,
            "array": self._list,
            "object": self._object,
            "null": lambda *_: None,
        }

    def value(self, schema: Any, depth: int = 0) -> Any:
        """Draw a value that a schema may take, or one of another type."""
        if self.random.random() < _ODD:
            return self.random.choice(_WRONG)
        if not isinstance(schema, Mapping) or depth > _DEEP:
            return self.random.choice((*self.texts[:20], *self.numbers[:20], True, [], None))
        if "enum" in schema and self.random.random() < 0.8:
            return self.random.choice(schema["enum"])
        kinds = schema.get("type")
        kind = self.random.choice(kinds) if isinstance(kinds, list) else kinds
        make = self._makers.get(kind)
        return plain(schema) if make is None else make(schema, depth)

    def _number(self, _schema: Any = None, _depth: int = 0) -> float:
        found = self.random.choice(self.exact if self.random.random() < 0.5 else self.numbers)
        return int(found) if found.is_integer() else found

    def _list(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        length = self.random.randrange(_ROWS)
        return [self.value(schema.get("items"), depth + 1) for _ in range(length)]

    def _text(self, schema: Mapping[str, Any], _depth: int = 0) -> str:
        fitting = texts_of(schema["pattern"]) if "pattern" in schema else ()
        if fitting and self.random.random() < 0.3:
            return self.random.choice(fitting)
        return self.random.choice(self.named if self.random.random() < 0.4 else self.texts)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        return {
            name: self.value(below, depth + 1)
            for name, below in (schema.get("properties") or {}).items()
            if self.random.random() > _ODD
        }

    def some(self, values: list[str]) -> list[str]:
        """Draw some of a few values."""
        return [one for one in values if self.random.random() < 0.5]


_Change = Callable[[Sample, _Draw], Sample]


def _slots(condition: Condition, met: Chain, compiled: Compiled) -> Iterator[_Change]:
    """Yield what draws each thing that a condition reads."""
    reads = condition.reads
    policies = [loaded.policy for loaded in compiled.policies.policies]
    schemas = {name: it for one in met.constraints for name, it in one.schemas.items()}
    for name in sorted({path[1] for path in reads if path[0] == "args" and len(path) > 1}):
        yield _argument(name, schemas.get(name))
    facts = {name: fact.schema_ for policy in policies for name, fact in policy.facts.items()}
    for name in sorted({path[1] for path in reads if path[0] == "facts" and len(path) > 1}):
        yield _fact(name, facts.get(name))
    context = {name: schema for policy in policies for name, schema in policy.context.items()}
    for name in sorted({path[1] for path in reads if path[0] == "context" and len(path) > 1}):
        yield _given(name, context.get(name))
    attrs = {name: schema for policy in policies for name, schema in policy.attrs.items()}
    for path in sorted(path for path in reads if path[0] == "principal" and len(path) > 1):
        if path[1] == "attrs":
            yield _attribute(path[2] if len(path) > 2 else "", attrs)
        else:
            yield _person(path[1])
    for part in ("text", "result"):
        if any(path[0] == part for path in reads):
            yield _text(part)
    if any(path[0] == "session" for path in reads):
        labels = sorted(
            {
                label
                for policy in policies
                for entry in (policy.tools or {}).values()
                for label in entry.labels
            }
        )
        yield _session(labels)
    if any(path[0] == "now" for path in reads):
        yield _time


def _argument(name: str, schema: Any) -> _Change:
    def change(sample: Sample, draw: _Draw) -> Sample:
        is_absent = draw.random.random() < _ODD
        return with_argument(sample, name, ABSENT if is_absent else draw.value(schema))

    return change


def _fact(name: str, schema: Any) -> _Change:
    def change(sample: Sample, draw: _Draw) -> Sample:
        answers = {key: value for key, value in sample.facts.answers.items() if key != name}
        if draw.random.random() > _ODD:
            answers[name] = draw.value(schema)
        return replace(sample, facts=replace(sample.facts, answers=answers))

    return change


def _given(name: str, schema: Any) -> _Change:
    def change(sample: Sample, draw: _Draw) -> Sample:
        context = {
            key: value for key, value in (sample.request.context or {}).items() if key != name
        }
        if draw.random.random() > _ODD:
            context[name] = draw.value(schema)
        return replace(sample, request=replace(sample.request, context=context))

    return change


def _attribute(name: str, schemas: Mapping[str, Any]) -> _Change:
    def change(sample: Sample, draw: _Draw) -> Sample:
        principal = dict(sample.request.principal or {})
        attrs = dict(principal.get("attrs") or {})
        for key in [name] if name else schemas:
            attrs.pop(key, None)
            if draw.random.random() > _ODD:
                attrs[key] = draw.value(schemas.get(key))
        request = replace(sample.request, principal={**principal, "attrs": attrs})
        return replace(sample, request=request)

    return change


def _person(key: str) -> _Change:
    def change(sample: Sample, draw: _Draw) -> Sample:
        principal = dict(sample.request.principal or {})
        if draw.random.random() < _ODD:
            principal.pop(key, None)
        elif draw.random.random() < 0.7:
            principal[key] = (
                draw.some(draw.named[:6]) if key == "roles" else draw.random.choice(draw.texts)
            )
        return replace(sample, request=replace(sample.request, principal=principal))

    return change


def _text(part: str) -> _Change:
    def change(sample: Sample, draw: _Draw) -> Sample:
        value = draw.value({"type": "string"})
        return replace(sample, request=replace(sample.request, **{part: value}))

    return change


def _session(labels: list[str]) -> _Change:
    def change(sample: Sample, draw: _Draw) -> Sample:
        session = sample.facts.session
        if draw.random.random() < _ODD:
            session = None
        else:
            session = replace(
                session or Session(started=sample.facts.now),
                labels=frozenset(draw.some(labels)),
                calls=Calls(dict.fromkeys(draw.some(draw.named[:6]), 1)),
            )
        request = replace(sample.request, session=None if session is None else "s1")
        return Sample(request, replace(sample.facts, session=session))

    return change


def _time(sample: Sample, draw: _Draw) -> Sample:
    now = sample.facts.now
    if now is None:
        return sample
    if draw.times and draw.random.random() < 0.5:
        now = draw.random.choice(draw.times)
        return replace(sample, facts=replace(sample.facts, now=now))
    drawn_time = now.replace(
        month=draw.random.randint(1, 12),
        day=draw.random.randint(1, 28),
        hour=draw.random.randrange(24),
        minute=draw.random.choice((0, 30, 59)),
    )
    return replace(sample, facts=replace(sample.facts, now=drawn_time))


def _times(texts: list[str]) -> Iterator[datetime]:
    """Yield the points in time that a condition names, and those next to them."""
    for text in texts:
        try:
            named = datetime.fromisoformat(text)
        except ValueError:
            continue
        if named.tzinfo is not None:
            near = (timedelta(0), timedelta(seconds=1), timedelta(days=1))
            yield from (named + one for one in near)
            yield from (named - one for one in near)
