"""A request of a test, with what is known when it is decided, and what of it matters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from policy_engine.decision import Calls, Facts, Request, Session

__all__ = [
    "ABSENT",
    "OTHER",
    "Reads",
    "Sample",
    "begun",
    "held_in",
    "in_turn",
    "told",
    "with_argument",
    "with_fact",
]

_One = TypeVar("_One")


class _End:
    """Stands for what comes after the last."""


_END: Final = _End()
ABSENT: Final = object()
"""Stands for the value of an argument that is not given."""
OTHER: Final = "mallory"
"""A value that no policy lists."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What decides whether something speaks; None where that is not known."""

    paths: frozenset[tuple[str, ...]] | None = None

    def wants(self, place: str, name: str | None = None) -> bool:
        """Whether a part of a request, or a name in it, matters."""
        if self.paths is None:
            return True
        return any(
            path[0] == place and (name is None or len(path) == 1 or path[1] == name)
            for path in self.paths
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """A request and what is known when it is decided."""

    request: Request
    facts: Facts


def with_argument(sample: Sample, name: str, value: Any) -> Sample:
    """Return a sample in which an argument has another value; none where it is absent."""
    args = sample.request.args if isinstance(sample.request.args, dict) else {}
    changed = {key: item for key, item in args.items() if key != name}
    if value is not ABSENT:
        changed[name] = value
    return Sample(_with_args(sample.request, changed), sample.facts)


def _with_args(request: Request, args: dict[str, Any]) -> Request:
    """Return a request with other arguments, as `replace` does, and quicker."""
    return Request(
        stage=request.stage,
        agent=request.agent,
        principal=request.principal,
        session=request.session,
        tool=request.tool,
        args=args,
        result=request.result,
        text=request.text,
        target=request.target,
        model=request.model,
        call_id=request.call_id,
        context=request.context,
        id=request.id,
    )


def with_fact(sample: Sample, name: str, value: Any) -> Sample:
    """Return a sample in which a fact has another value."""
    answers = {**sample.facts.answers, name: value}
    return replace(sample, facts=replace(sample.facts, answers=answers))


def begun(request: Request, facts: Facts) -> Sample:
    """Return a request of a test with a session where it names one that no decision asked for.

    Approvals are left out.
    """
    session = facts.session
    if session is None and request.session is not None:
        session = Session(started=facts.now)
    return Sample(request, replace(facts, session=session, approvals={}))


def held_in(sample: Sample, most: int) -> Iterator[Any]:
    """Yield the single values in a request and in the facts about it, the outermost first.

    Args:
        sample: The request and what is known.
        most: Of so many elements of a list.
    """
    request = sample.request
    waiting = [request.principal, request.args, dict(sample.facts.answers), request.context]
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value[:most])
        else:
            yield value


def told(sample: Sample) -> Sample:
    """Return a sample as a test can bring it about: a session is known where it is named."""
    request, facts = sample.request, sample.facts
    if facts.session is not None and any(n < 1 for n in facts.session.calls.values()):
        calls = Calls({tool: n for tool, n in facts.session.calls.items() if n >= 1})
        facts = replace(facts, session=replace(facts.session, calls=calls))
        sample = replace(sample, facts=facts)
    if facts.session is None and request.session is not None:
        return replace(sample, request=replace(request, session=None))
    if facts.session is not None and request.session is None:
        return replace(sample, facts=replace(facts, session=None))
    return sample


def in_turn(ways: list[Iterator[_One]]) -> Iterator[_One]:
    """Take one of each in turn."""
    while ways:
        for way in list(ways):
            found = next(way, _END)
            if isinstance(found, _End):
                ways.remove(way)
            else:
                yield found
