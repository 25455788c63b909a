"""A streamed response that was changed, streamed again: what may be said, and nothing else.

The events that a model streamed hold what it said first. Who shows or speaks a text while it
streams is told the text that is left, in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai.types.responses import (
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)

__all__ = ["retold"]


def retold(last: ResponseCompletedEvent) -> list[Any]:
    """Return the events of a stream that says the texts of a response, and ends with it."""
    events = [
        event
        for index, item in enumerate(last.response.output)
        if isinstance(item, ResponseOutputMessage)
        for event in _said(index, item)
    ]
    numbered = [
        event.model_copy(update={"sequence_number": number}) for number, event in enumerate(events)
    ]
    return [*numbered, last.model_copy(update={"sequence_number": len(events)})]


def _said(index: int, item: ResponseOutputMessage) -> Iterator[Any]:
    begun = item.model_copy(update={"content": [], "status": "in_progress"})
    at: dict[str, Any] = {"output_index": index, "sequence_number": 0}
    yield ResponseOutputItemAddedEvent(type="response.output_item.added", item=begun, **at)
    for number, part in enumerate(item.content):
        if not isinstance(part, ResponseOutputText):
            continue
        here = {**at, "item_id": item.id, "content_index": number}
        empty = part.model_copy(update={"text": "", "annotations": [], "logprobs": None})
        yield ResponseContentPartAddedEvent(type="response.content_part.added", part=empty, **here)
        yield ResponseTextDeltaEvent(
            type="response.output_text.delta", delta=part.text, logprobs=[], **here
        )
        yield ResponseTextDoneEvent(
            type="response.output_text.done", text=part.text, logprobs=[], **here
        )
        yield ResponseContentPartDoneEvent(type="response.content_part.done", part=part, **here)
    yield ResponseOutputItemDoneEvent(type="response.output_item.done", item=item, **at)
