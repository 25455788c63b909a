"""An item of a response as a stream tells it: that it begins, what it says, and that it is done.

Each text is told in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from openai.types.responses import (
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCustomToolCall,
    ResponseCustomToolCallInputDeltaEvent,
    ResponseCustomToolCallInputDoneEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseReasoningItem,
    ResponseReasoningSummaryPartAddedEvent,
    ResponseReasoningSummaryPartDoneEvent,
    ResponseReasoningSummaryTextDeltaEvent,
    ResponseReasoningSummaryTextDoneEvent,
    ResponseReasoningTextDeltaEvent,
    ResponseReasoningTextDoneEvent,
    ResponseRefusalDeltaEvent,
    ResponseRefusalDoneEvent,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)
from pydantic import BaseModel

__all__ = ["KINDS", "telling"]

_TYPES: Final[Mapping[str, type[BaseModel]]] = {
    "response.content_part.added": ResponseContentPartAddedEvent,
    "response.content_part.done": ResponseContentPartDoneEvent,
    "response.custom_tool_call_input.delta": ResponseCustomToolCallInputDeltaEvent,
    "response.custom_tool_call_input.done": ResponseCustomToolCallInputDoneEvent,
    "response.function_call_arguments.delta": ResponseFunctionCallArgumentsDeltaEvent,
    "response.function_call_arguments.done": ResponseFunctionCallArgumentsDoneEvent,
    "response.output_item.added": ResponseOutputItemAddedEvent,
    "response.output_item.done": ResponseOutputItemDoneEvent,
    "response.output_text.delta": ResponseTextDeltaEvent,
    "response.output_text.done": ResponseTextDoneEvent,
    "response.reasoning_summary_part.added": ResponseReasoningSummaryPartAddedEvent,
    "response.reasoning_summary_part.done": ResponseReasoningSummaryPartDoneEvent,
    "response.reasoning_summary_text.delta": ResponseReasoningSummaryTextDeltaEvent,
    "response.reasoning_summary_text.done": ResponseReasoningSummaryTextDoneEvent,
    "response.reasoning_text.delta": ResponseReasoningTextDeltaEvent,
    "response.reasoning_text.done": ResponseReasoningTextDoneEvent,
    "response.refusal.delta": ResponseRefusalDeltaEvent,
    "response.refusal.done": ResponseRefusalDoneEvent,
}
KINDS: Final = frozenset(_TYPES)
"""The types of events by which an item is told."""
_TEXT: Final[Mapping[str, tuple[str, str]]] = {
    "output_text": ("text", "output_text"),
    "refusal": ("refusal", "refusal"),
    "reasoning_text": ("text", "reasoning_text"),
    "summary_text": ("text", "reasoning_summary_text"),
}
"""The type of a part -> the field with its text, and what its events are called."""
_PARTS: Final[Mapping[str, str]] = {
    "output_text": "content_part",
    "refusal": "content_part",
    "summary_text": "reasoning_summary_part",
}
"""The type of a part -> what the events are called that begin and end it."""


def telling(index: int, item: Any) -> Iterator[Any]:
    """Go through the events that tell an item; their sequence numbers are 0.

    Args:
        index: Where the item stands in the response.
        item: What is told, and all of it may be.
    """
    begun: dict[str, Any] = {"status": "in_progress"}
    said: list[Any] = []
    at = {"output_index": index, "item_id": getattr(item, "id", None) or ""}
    if isinstance(item, ResponseOutputMessage):
        begun["content"] = []
        said = [_part(at, "content_index", number, one) for number, one in enumerate(item.content)]
    elif isinstance(item, ResponseReasoningItem):
        begun |= {"summary": [], "content": None}
        thoughts: list[tuple[str, Any]] = [("summary_index", item.summary)]
        thoughts.append(("content_index", item.content))
        for counted, parts in thoughts:
            said += [_part(at, counted, number, one) for number, one in enumerate(parts or ())]
    elif isinstance(item, ResponseFunctionToolCall):
        begun["arguments"] = ""
        at["item_id"] = at["item_id"] or item.call_id
        told = {"arguments": item.arguments, "name": item.name}
        said = [_whole(at, "function_call_arguments", item.arguments, told)]
    elif isinstance(item, ResponseCustomToolCall):
        begun["input"] = ""
        at["item_id"] = at["item_id"] or item.call_id
        said = [_whole(at, "custom_tool_call_input", item.input, {"input": item.input})]
    empty = item
    if isinstance(item, BaseModel):
        fields = type(item).model_fields
        empty = item.model_copy(update={name: begun[name] for name in begun if name in fields})
    yield _event("response.output_item.added", output_index=index, item=empty)
    for events in said:
        yield from events
    yield _event("response.output_item.done", output_index=index, item=item)


def _part(at: Mapping[str, Any], counted: str, number: int, part: Any) -> Iterator[Any]:
    """Go through the events that tell one part of a message or a thought."""
    kind = str(part.type)
    if kind not in _TEXT:
        return
    field, name = _TEXT[kind]
    text = getattr(part, field)
    here = {**at, counted: number}
    rest: dict[str, Any] = {"logprobs": []} if kind == "output_text" else {}
    group = _PARTS.get(kind)
    if group is not None:
        update: dict[str, Any] = {"annotations": [], "logprobs": None} if rest else {}
        update[field] = ""
        yield _event(f"response.{group}.added", part=part.model_copy(update=update), **here)
    yield from _whole(here, name, text, {field: text}, rest)
    if group is not None:
        yield _event(f"response.{group}.done", part=part, **here)


def _whole(
    at: Mapping[str, Any],
    name: str,
    text: str,
    told: Mapping[str, Any],
    rest: Mapping[str, Any] | None = None,
) -> Iterator[Any]:
    """Go through the events that tell a text: what is added, and all of it."""
    if text:
        yield _event(f"response.{name}.delta", delta=text, **at, **(rest or {}))
    yield _event(f"response.{name}.done", **told, **at, **(rest or {}))


def _event(kind: str, **fields: Any) -> Any:
    return _TYPES[kind].model_construct(type=kind, sequence_number=0, **fields)
