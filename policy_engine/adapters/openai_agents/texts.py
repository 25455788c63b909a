"""The texts of an SDK's items: what the agent is given, and what a model says.

Theory of operation. A response is judged in all that can be read in it. What a message, a refusal
or a thought says stands in parts that are read as one; any other text (the title of a citation,
code, a query, what a tool brought back) is a text of its own. Left out are names and numbers that
the provider gave, and calls that are judged as calls, when they are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass, replace
from typing import Any, Final, TypeAlias

from openai.types.responses import ResponseOutputMessage, ResponseOutputText
from pydantic import BaseModel

__all__ = [
    "NAMES",
    "Part",
    "Path",
    "field_of",
    "fields_of",
    "parts_of_output",
    "said_by_user",
    "texts_of",
    "with_content",
    "with_parts",
    "with_texts",
]

Path: TypeAlias = tuple[str | int, ...]
"""Leads to a text: names of fields and keys, and positions."""

_USER: Final = frozenset({"user", "system", "developer"})
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "output_text": ("content", "text"),
    "refusal": ("content", "refusal"),
    "summary_text": ("summary", "text"),
    "reasoning_text": ("content", "text"),
}
"""The type of a part -> where it stands in its item, and which field is its text."""
_CALLS: Final = frozenset(
    {
        "apply_patch_call",
        "computer_call",
        "custom_tool_call",
        "function_call",
        "local_shell_call",
        "mcp_approval_request",
        "shell_call",
    }
)
"""Types of items that are calls, and judged when they are made."""
_ASKED: Final = frozenset({"arguments", "name", "server_label"})
"""Fields of a call of a server of the provider's: it was asked for, and judged then."""
NAMES: Final = frozenset(
    {
        "approval_request_id",
        "b64_json",
        "call_id",
        "caller",
        "caller_id",
        "container_id",
        "created_by",
        "encrypted_content",
        "environment",
        "execution",
        "file_id",
        "fingerprint",
        "id",
        "logprobs",
        "namespace",
        "phase",
        "provider_data",
        "role",
        "signature",
        "status",
        "type",
    }
)
"""Fields that hold what the provider named, or what nobody reads."""
_NO_TEXT: Final[Mapping[str, frozenset[str]]] = {
    "image_generation_call": frozenset(
        {"action", "background", "output_format", "quality", "result", "size", "svg_usage"}
    ),
    "mcp_call": _ASKED,
}
"""The type of an item -> more such fields of its own."""
_NOTHING: Final[frozenset[str]] = frozenset()
_PLAIN: Final = frozenset({bool, int, float})
_DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class Part:
    """One text in a model's output."""

    item: int
    path: Path
    text: str

    @property
    def whole(self) -> tuple[object, ...]:
        """What the text is read as a part of."""
        if self.is_said:
            return self.item, self.path[0], self.path[-1]
        return self.item, self.path

    @property
    def is_said(self) -> bool:
        """Whether it is a part of a message, a refusal or a thought."""
        return len(self.path) == 3 and (self.path[0], self.path[2]) in _TEXTS.values()


def said_by_user(item: object) -> Any:
    """Return the content of an input item that is given to the agent; None of any other."""
    if not isinstance(item, dict) or (item.get("type") or "message") != "message":
        return None
    return item.get("content") if item.get("role") in _USER else None


def with_content(item: Any, content: Any) -> Any:
    """Return a copy of an input item with another content."""
    return {**item, "content": content}


def parts_of_output(output: list[Any]) -> Iterator[Part]:
    """Go through the texts of a model's output items, those that are read as one in a row."""
    kinds = [str(field_of(item, "type")) for item in output]
    answered = frozenset(
        field_of(item, "call_id")
        for item, kind in zip(output, kinds, strict=True)
        if kind == "shell_call_output"
    )
    for number, (item, kind) in enumerate(zip(output, kinds, strict=True)):
        if kind in _CALLS and (kind != "shell_call" or field_of(item, "call_id") not in answered):
            continue
        said = list(_said(number, item))
        yield from said
        if _is_plain(item):
            continue
        known = {part.path for part in said}
        for path, text in texts_of(item, skipped=_NO_TEXT.get(kind, _NOTHING)):
            if path not in known:
                yield Part(number, path, text)


def _said(number: int, item: Any) -> Iterator[Part]:
    for place in ("content", "summary"):
        found = field_of(item, place)
        for index, part in enumerate(found if isinstance(found, list | tuple) else ()):
            kind = _TEXTS.get(str(field_of(part, "type")))
            if kind is None or kind[0] != place:
                continue
            text = field_of(part, kind[1])
            if isinstance(text, str) and text:
                yield Part(number, (place, index, kind[1]), text)


def _is_plain(item: Any) -> bool:
    """Whether an item is a message that cites nothing: most are, and all in it is said."""
    return (
        type(item) is ResponseOutputMessage
        and not item.model_extra
        and all(
            type(part) is ResponseOutputText and not part.annotations and not part.model_extra
            for part in field_of(item, "content") or ()
        )
    )


def texts_of(value: Any, *, skipped: frozenset[str] = _NOTHING) -> Iterator[tuple[Path, str]]:
    """Go through the texts in a value, each with the path that leads to it.

    Args:
        value: An item, or a part of one.
        skipped: Fields of the value itself that hold no text.
    """
    yield from _walked(value, (), _DEEPEST, skipped)


def _walked(
    value: Any, path: Path, depth: int, skipped: frozenset[str]
) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if value:
            yield path, value
        return
    if not depth:
        yield path, str(value)
        return
    for name, item in _below(value):
        if item and item.__class__ not in _PLAIN and name not in skipped and name not in NAMES:
            yield from _walked(item, (*path, name), depth - 1, _NOTHING)


def _below(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, list | tuple):
        return enumerate(value)
    return fields_of(value).items()


def with_parts(output: list[Any], changes: Mapping[Part, str]) -> list[Any]:
    """Return output items with other texts; what quotes or counts the old ones goes with them.

    A part of which nothing is left is left out, unless it is the last.
    """
    changed = list(output)
    others = [part for part in changes if not part.is_said]
    for part in others:
        changed[part.item] = _with_text(changed[part.item], part.path, changes[part])
    said = [part for part in changes if part.is_said]
    # From behind, so that what is left out moves nothing that is still to be changed.
    for part in sorted(said, key=lambda part: (part.item, part.path[1]), reverse=True):
        changed[part.item] = _with_said(changed[part.item], part, changes[part])
    return changed


def with_texts(item: Any, texts: Mapping[Path, str]) -> Any:
    """Return an item with other texts in some places."""
    for path, text in texts.items():
        item = _with_text(item, path, text)
    return item


def _with_said(item: Any, part: Part, text: str) -> Any:
    place, index, key = str(part.path[0]), int(part.path[1]), str(part.path[2])
    rest: dict[str, Any] = {"annotations": [], "logprobs": None} if key == "text" else {}
    parts = list(field_of(item, place))
    parts[index] = _replaced(parts[index], {key: text, **rest})
    if not text and len(parts) > 1:
        del parts[index]
    return _replaced(item, {place: parts, "encrypted_content": None})


def _with_text(value: Any, path: Path, text: str) -> Any:
    if not path:
        return text
    step, *rest = path
    if isinstance(value, list | tuple):
        items = list(value)
        items[int(step)] = _with_text(items[int(step)], tuple(rest), text)
        return items
    name = str(step)
    changed = _with_text(fields_of(value)[name], tuple(rest), text)
    return _replaced(value, {name: changed})


def field_of(value: object, name: str) -> Any:
    """Return a field of an item, whichever of the two ways it is written in; None for none."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def fields_of(value: object) -> Mapping[str, Any]:
    """Return the fields of an item or an event, also those that the SDK does not know."""
    if isinstance(value, BaseModel):
        return {**vars(value), **value.model_extra} if value.model_extra else vars(value)
    if is_dataclass(value) and not isinstance(value, type):
        return vars(value)
    return value if isinstance(value, Mapping) else {}


def _replaced(value: Any, changes: Mapping[str, Any]) -> Any:
    known = fields_of(value)
    update = {name: changed for name, changed in changes.items() if name in known}
    if isinstance(value, BaseModel):
        return value.model_copy(update=update)
    if isinstance(value, Mapping):
        return {**value, **update}
    return replace(value, **update)
