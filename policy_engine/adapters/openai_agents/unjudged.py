"""What stands in a conversation beside what users say, and no earlier stage judged.

Theory of operation. Histories made by hand, filters, mappers and sessions can put words of
models, calls and results of tools before a model that no guarded model said and no guarded tool
returned. They are part of the request, and judged with it: by the rules about input, each field
of an item for itself, because a limit of size is about one of them. What is redacted is redacted
in its place, and what is denied is withheld from the model: the request is made without it. The
decisions share a call id with the request's own, so that all of it counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError
from policy_engine.adapters.openai_agents.judge import enforce, foresee
from policy_engine.adapters.openai_agents.parts import decided_by
from policy_engine.adapters.openai_agents.reread import Ask
from policy_engine.adapters.openai_agents.said import MARKS, note_said, was_said, words
from policy_engine.adapters.openai_agents.scope import about
from policy_engine.decision import Decision, Request
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["CHANGING", "WITHHELD", "Unjudged", "refuse_odd", "with_known_tools"]

WITHHELD: Final = "[withheld]"
"""What stands where something was denied."""
_LOADING: Final = "tool_search_output"
"""The type of an item that brings the tools which a search found."""
CHANGING: Final = frozenset({"additional_tools", "configuration_update"})
"""Types of items by which a conversation says what a model may do, or how it has to answer."""
_LOADED: Final = frozenset({"custom", "function", "namespace"})
"""Types of tools that a search may load: the SDK calls the agent's own by their names."""
_TOOLS: Final = (
    "stands in the conversation, where it changes what the model may do past the policies: leave "
    "it out, and give tools to the agent"
)
_ODD: Final = "stands in the conversation and is no mapping: give the SDK's items as mappings"
_SEALED: Final = "encrypted_content"
"""A field that only its provider can read."""
_NAMES: Final = frozenset({"container_id", "name", "namespace", "server_label"})
"""Fields where nothing but a name can stand."""
_BLANK: Final = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR4nGNgYAAAAAMAAbit"
    "OmMAAAAASUVORK5CYII="
)
"""An image of one transparent point."""
_IMAGES: Final[Mapping[str, str]] = {
    "computer_call_output": "output",
    "image_generation_call": "result",
}
"""The type of an item -> the field that is an image."""
_NAMELESS: Final = "withheld"
"""What stands where a name was denied: providers take letters alone."""
_TEXTS: Final = ("text", "refusal")
"""Fields of a part that are its substance."""
_ENDED: Final = "the run ends here"


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Judges what one request holds beside what users say."""

    guard: Guard
    session: GuardSession
    model: str
    call_id: str
    """Of the request."""
    names: frozenset[str]
    """Of the agent's own tools and handoffs."""
    is_given: bool = False
    """Whether it stands in what a run is newly given, and no model is asked yet."""

    async def item(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an item as the model may read it."""
        if was_said(self.guard, self.session, item):
            return item
        changes: dict[str, Any] = {}
        for name, value in item.items():
            if name in MARKS or name == _SEALED or not words(value):
                continue
            permitted = await self._field(item, name, value)
            if permitted is not value:
                changes[name] = permitted
        if not changes:
            if not self.is_given:
                note_said(self.guard, self.session, item)
            return item
        return _rewritten(item, changes)

    async def _field(self, item: Mapping[str, Any], name: str, value: Any) -> Any:
        """Return a field as the model may read it; the same object where nothing is changed."""
        if name in _NAMES and value in self.names:
            return value
        judged, place = _judged(item, name, value)
        decision, permitted = await self._decided(judged)
        if not decision.permitted:
            return _withheld(name, value)
        if permitted == judged:
            return value
        if name in _NAMES:
            return _NAMELESS
        return permitted if place is None else [{**value[0], place: permitted}]

    async def _decided(self, value: Any) -> tuple[Decision, Any]:
        """Decide about a value; what is not plainly allowed is recorded, once."""
        decision, permitted = await self._asked(value, foresee)
        if decision.effect == decision.would == "allow" and permitted == value:
            return decision, permitted
        mark = {"recorded": [decision.effect, value]}
        if was_said(self.guard, self.session, mark):
            return decision, permitted
        note_said(self.guard, self.session, mark)
        return await self._asked(value, enforce)

    async def _asked(self, value: Any, ask: Ask) -> tuple[Decision, Any]:
        def made(text: Any) -> Request:
            if self.is_given:
                return about(self.session, "input", text=text)
            names = {"model": self.model, "call_id": self.call_id}
            return about(self.session, "model_request", text=text, **names)

        try:
            return await decided_by(self.guard, self.session, made, value, ask)
        except Denied as denied:
            return denied.decision, value


def refuse_odd(session: GuardSession, item: Any) -> None:
    """Refuse an item that changes what a model may do, or that cannot be read.

    Raises:
        UnmediatedError: It does, or cannot.
    """
    if not isinstance(item, Mapping):
        raise UnmediatedError([Gap(session.agent or "", type(item).__name__, _ODD)], _ENDED)
    if item.get("type") in CHANGING:
        raise UnmediatedError([Gap(session.agent or "", str(item["type"]), _TOOLS)], _ENDED)


def with_known_tools(guard: Guard, session: GuardSession, item: Any) -> Any:
    """Return what a search loaded without tools of the provider's that no guarded model loaded."""
    if item.get("type") != _LOADING or was_said(guard, session, item):
        return item
    tools = [
        tool
        for tool in item.get("tools") or ()
        if isinstance(tool, Mapping) and tool.get("type") in _LOADED
    ]
    return {**item, "tools": tools}


def _judged(item: Mapping[str, Any], name: str, value: Any) -> tuple[Any, str | None]:
    """Return what is judged of a field: the text of a single part; and where that stands in it."""
    if _IMAGES.get(str(item.get("type"))) == name:
        return [{"type": "input_image"}], None
    part = value[0] if isinstance(value, list) and len(value) == 1 else None
    for place in _TEXTS:
        if isinstance(part, Mapping) and isinstance(part.get(place), str):
            others = {key: other for key, other in part.items() if key != place}
            if not words(others):
                return part[place], place
    return value, None


def _withheld(name: str, value: Any) -> Any:
    if name == "arguments":
        return "{}"
    if name in _NAMES:
        return _NAMELESS
    return _BLANK.partition(",")[2] if name == "result" else _blank(value)


def _blank(value: Any) -> Any:
    """Return a value of the same shape that says nothing."""
    if isinstance(value, str):
        return WITHHELD if value else value
    if isinstance(value, list | tuple):
        return [_blank(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if str(value.get("type")) in ("input_image", "input_file", "input_audio"):
        return {"type": "input_text", "text": WITHHELD}
    blank = {name: item if name in MARKS else _blank(item) for name, item in value.items()}
    return {**blank, "image_url": _BLANK} if "image_url" in value else blank


def _rewritten(item: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item with other fields; what quotes or seals the old ones goes with them."""
    changed = {name: value for name, value in item.items() if name != _SEALED}
    for name, value in changes.items():
        changed[name] = [_unquoted(part) for part in value] if isinstance(value, list) else value
    return changed


def _unquoted(part: Any) -> Any:
    if not isinstance(part, Mapping):
        return part
    kept = {name: value for name, value in part.items() if name != "logprobs"}
    return {**kept, "annotations": []} if "annotations" in kept else kept
