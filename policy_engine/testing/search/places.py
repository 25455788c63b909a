"""Places that conditions read: what stands there, and requests in which something else does."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeAlias

from policy_engine.cel.nodes import Call, Index, Literal, Node, Select, VariableRead
from policy_engine.cel.values import List
from policy_engine.decision import Calls, Session
from policy_engine.testing.search.sample import ABSENT, Sample

__all__ = ["Place", "at_place", "clash", "place_of", "put", "texts_at"]

Place: TypeAlias = tuple[str | int, ...]
"""The path of a value, such as ("args", "to", 0)."""
_HELD: Final = frozenset({"args", "facts", "context", "principal"})
_WHOLE: Final = frozenset({"agent", "text", "result", "tool", "target", "model"})
_ITSELF: Final = frozenset({"orValue", "value", "dyn"})


def place_of(node: Node) -> Place | None:
    """Return the place that a node reads; None for anything else."""
    match node:
        case VariableRead(name=name):
            return tuple(name.split("."))
        case Select(operand=operand, field=step):
            above = place_of(operand)
        case Index(operand=operand, key=Literal(value=str() | int() as step)):
            above = place_of(operand)
        case Call(function=name, arguments=(operand, *_)) if name in _ITSELF:
            return place_of(operand)
        case _:
            return None
    return None if above is None else (*above, step)


def clash(place: Place, others: frozenset[Place]) -> bool:
    """Whether a place is one of some others, holds one, or is within one."""
    return any(place[: len(one)] == one[: len(place)] for one in others)


def at_place(sample: Sample, place: Place) -> Any:
    """Return what stands at a place; `ABSENT` where nothing does."""
    root, rest = place[0], place[1:]
    if root in _WHOLE or root == "stage":
        value = getattr(sample.request, str(root))
        return ABSENT if value is None or rest else value
    if root == "now":
        return ABSENT if sample.facts.now is None else sample.facts.now
    if root == "session":
        return _of_session(sample, rest)
    holder = _holder(sample, str(root))
    for step in rest:
        if isinstance(holder, list) and isinstance(step, int):
            holder = holder[step] if 0 <= step < len(holder) else None
        else:
            holder = holder.get(step) if isinstance(holder, Mapping) else None
    return ABSENT if holder is None else holder


def _holder(sample: Sample, root: str) -> Any:
    return sample.facts.answers if root == "facts" else getattr(sample.request, root, None)


def _of_session(sample: Sample, rest: Place) -> Any:
    session = sample.facts.session
    if session is None:
        return ABSENT
    match rest:
        case ("labels",):
            return sorted(session.labels)
        case ("calls",):
            return dict(session.calls)
        case ("calls", str(tool)):
            return session.calls.get(tool, 0)
        case ("started",):
            return ABSENT if session.started is None else session.started
        case ("id",):
            return sample.request.session or ABSENT
    return ABSENT


def texts_at(place: Place, value: Any) -> Iterator[Place]:
    """Yield the places of the texts in a value, those of lists only of their first elements."""
    if isinstance(value, str):
        yield place
    elif isinstance(value, Mapping):
        for name, below in value.items():
            yield from texts_at((*place, name), below)
    elif isinstance(value, list) and value:
        yield from texts_at((*place, 0), value[0])


def put(sample: Sample, place: Place, value: Any) -> Sample | None:
    """Return a sample in which something else stands at a place, or nothing where it is `ABSENT`.

    None where a request cannot hold it.
    """
    root, rest = place[0], place[1:]
    request, facts = sample.request, sample.facts
    if root in _HELD and rest:
        changed = _put(_holder(sample, str(root)), rest, value)
        if root == "facts":
            return replace(sample, facts=replace(facts, answers=changed))
        if root == "args" and not isinstance(request.args, dict):
            return None
        return replace(sample, request=replace(request, **{str(root): changed}))
    if root in _WHOLE and not rest:
        given = None if value is ABSENT else value
        changed = replace(request, **{str(root): given})  # type: ignore[arg-type]
        return replace(sample, request=changed)
    if root == "now" and not rest and isinstance(value, datetime):
        return replace(sample, facts=replace(facts, now=value))
    if root == "session":
        return _with_session(sample, rest, value)
    return None


def _put(holder: Any, path: Place, value: Any) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(holder) if isinstance(holder, list | List) else []
        if value is ABSENT and not rest:
            return [*items[:step], *items[step + 1 :]]
        below = _put(items[step] if step < len(items) else None, rest, value)
        return [*items[:step], below, *items[step + 1 :]]
    known = dict(holder) if isinstance(holder, Mapping) else {}
    if value is ABSENT and not rest:
        known.pop(step, None)
        return known
    return {**known, step: _put(known.get(step), rest, value)}


def _with_session(sample: Sample, rest: Place, value: Any) -> Sample | None:
    facts, request = sample.facts, sample.request
    session = facts.session or Session(started=facts.now)
    match rest:
        case ("calls", str(tool)) if value is ABSENT:
            kept = {name: n for name, n in session.calls.items() if name != tool}
            session = replace(session, calls=Calls(kept))
        case _ if value is ABSENT:
            return None
        case ("labels",) if isinstance(value, list):
            session = replace(session, labels=frozenset(map(str, value)))
        case ("calls",) if isinstance(value, Mapping):
            calls = {str(k): n if isinstance(n, int) else 1 for k, n in value.items() if n}
            session = replace(session, calls=Calls(calls))
        case ("calls", str(tool)) if isinstance(value, int) and value >= 0:
            session = replace(session, calls=Calls({**session.calls, tool: value}))
        case ("started",) if isinstance(value, datetime):
            session = replace(session, started=value)
        case ("id",) if isinstance(value, str):
            request = replace(request, session=value)
        case _:
            return None
    if request.session is None:
        request = replace(request, session="s1")
    return Sample(request, replace(facts, session=session))
