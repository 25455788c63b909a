"""A streamed response that was changed: its events, put right, and what was changed told again.

Theory of operation. Each event is about one item. Events about an item that nobody changed are
handed on as they came. Where a call got another id, they are too, with that id in them: an item's
own id stays, by which events name it. An item whose text was changed is told anew, in its place,
by a sequence of its own; of what was streamed about it, nothing is left. What is about no item,
or says what its item does not say at the end, is left out; where that was a part of how items are
told, the item is told anew as well. Where something was taken out of a response, it could stand
in any event, so an event may say only what its own item says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from openai.types.responses import ResponseCompletedEvent, ResponseFunctionToolCall
from pydantic import BaseModel

from policy_engine.adapters.openai_agents.streamed import item_of, unrepeated
from policy_engine.adapters.openai_agents.telling import KINDS, telling
from policy_engine.adapters.openai_agents.texts import field_of, texts_of

__all__ = ["retold"]

_REPEATING: Final = frozenset({"output_text"})
"""Fields of a response, beside its items, in which servers say again what they said."""


@dataclass(frozen=True, slots=True)
class _Changes:
    """What was changed in a response."""

    renamed: Mapping[int, tuple[Any, Any]]
    """Calls that got another id, and nothing else: by index, what they were and are."""
    rewritten: frozenset[int]
    """Items that say something else."""
    is_less: bool
    """Whether something was taken out, and not only added."""


def retold(
    events: list[Any], last: ResponseCompletedEvent, said: list[Any], judged: list[Any]
) -> list[Any]:
    """Return the events of a stream as they may be handed on.

    Args:
        events: What was streamed.
        last: The one of these that ends it.
        said: The items of the response.
        judged: The same items as they may be handed on.
    """
    if judged == said and not unrepeated(events, [None] * len(events), {None: said}):
        return events
    changes = _changes(said, judged)
    about = [None if event is last else item_of(event, said) for event in events]
    left_out, again = _left_out(events, about, judged, changes)
    untold = set(again)
    told: list[Any] = []
    for position, (event, index) in enumerate(zip(events, about, strict=True)):
        if event is last:
            for one in sorted(untold):
                told += telling(one, judged[one])
            told.append(_with_whole(last, judged, changes))
        elif index is not None and index in again:
            if index in untold:
                untold.remove(index)
                at = field_of(event, "output_index")
                told += telling(at if type(at) is int else index, judged[index])
        elif position not in left_out:
            told.append(_put_right(event, index, changes))
    return _numbered(told) if again else told


def _changes(said: Sequence[Any], judged: Sequence[Any]) -> _Changes:
    renamed: dict[int, tuple[Any, Any]] = {}
    rewritten: set[int] = set()
    is_less = False
    for index, (old, new) in enumerate(zip(said, judged, strict=True)):
        if old == new:
            continue
        is_call = isinstance(old, BaseModel) and isinstance(field_of(old, "call_id"), str)
        named = old.model_copy(update={"call_id": field_of(new, "call_id")}) if is_call else old
        if named == new:
            renamed[index] = old, new
            continue
        rewritten.add(index)
        is_blank = isinstance(old, ResponseFunctionToolCall) and not old.arguments.strip()
        is_less |= not is_blank
    return _Changes(renamed, frozenset(rewritten), is_less)


def _left_out(
    events: Sequence[Any],
    about: Sequence[int | None],
    judged: Sequence[Any],
    changes: _Changes,
) -> tuple[set[int], set[int]]:
    """Return the positions of events that are not handed on, and the items that are told anew."""
    # An event about the whole response is put right in itself.
    parts = [position for position, event in enumerate(events) if not _is_whole(event)]
    grounds: dict[int | None, Sequence[Any]] = {None: judged}
    if changes.is_less:
        grounds = {None: [], **{index: [item] for index, item in enumerate(judged)}}
    keys = [about[position] if changes.is_less else None for position in parts]
    found = unrepeated([events[position] for position in parts], keys, grounds)
    left_out = {parts[number] for number in found}
    for position in parts:
        event = events[position]
        is_unknown = about[position] is None and (changes.is_less or _is_misnamed(event, changes))
        if is_unknown or not isinstance(event, BaseModel):
            left_out.add(position)
    missing = {about[one] for one in left_out if field_of(events[one], "type") in KINDS}
    again = {*changes.rewritten, *(index for index in missing if index is not None)}
    if None in missing:
        shown = {about[position] for position in parts if position not in left_out}
        messages = {n for n, item in enumerate(judged) if field_of(item, "type") == "message"}
        again |= (messages | changes.renamed.keys()) - shown
    return left_out, again


def _is_whole(event: Any) -> bool:
    return isinstance(event, BaseModel) and isinstance(field_of(event, "response"), BaseModel)


def _is_misnamed(event: Any, changes: _Changes) -> bool:
    """Whether an event about no item that is known holds an id that a call had."""
    old = {field_of(one, "call_id") for one, _ in changes.renamed.values()}
    return any(
        field_of(holder, name) in old
        for holder in (event, field_of(event, "item"))
        for name in ("call_id", "item_id")
    )


def _put_right(event: Any, index: int | None, changes: _Changes) -> Any:
    """Return an event about what was not rewritten as it is handed on."""
    if _is_whole(event):
        return _with_whole(event, [], changes)
    if index is None or index not in changes.renamed:
        return event
    old, new = changes.renamed[index]
    update: dict[str, Any] = {}
    item = field_of(event, "item")
    if isinstance(item, BaseModel):
        update["item"] = _with(item, call_id=new.call_id)
    if field_of(event, "call_id") is not None:
        update["call_id"] = new.call_id
    if field_of(event, "item_id") == old.call_id and field_of(old, "id") != old.call_id:
        update["item_id"] = new.call_id
    return _with(event, **update) if update else event


def _with_whole(event: Any, output: list[Any], changes: _Changes) -> Any:
    """Return an event about a response with these items alone, and nothing read of others."""
    response = event.response
    update = _unread(response.model_extra, None if changes.is_less else _REPEATING)
    if (field_of(response, "output") or []) != output:
        update["output"] = output
    if changes.is_less and field_of(response, "output_parsed") is not None:
        update["output_parsed"] = None
    rest = _unread(event.model_extra, None)
    if not update and not rest:
        return event
    return _with(event, response=_with(response, **update) if update else response, **rest)


def _unread(extra: Mapping[str, Any] | None, names: frozenset[str] | None) -> dict[str, Any]:
    """Return nothing in place of each text in fields that the SDK does not know."""
    return {
        name: None
        for name, value in (extra or {}).items()
        if (names is None or name in names) and any(texts_of(value))
    }


def _with(value: Any, **update: Any) -> Any:
    return value.model_copy(update=update)


def _numbered(events: list[Any]) -> list[Any]:
    """Return events whose sequence numbers count from the first one's, where they are others."""
    start = field_of(events[0], "sequence_number")
    first = start if type(start) is int else 0
    return [
        event
        if field_of(event, "sequence_number") == number
        else _with(event, sequence_number=number)
        for number, event in enumerate(events, first)
    ]
