"""The texts of an SDK's items: what the agent is given, and what a model says."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = [
    "Part",
    "is_repeated",
    "parts_of_output",
    "read_as_json",
    "said_by_user",
    "with_content",
    "with_parts",
]

_USER: Final = frozenset({"user", "system", "developer"})
_SPOKEN: Final = ("arguments", "input", "code")
"""Fields of calls that are streamed."""
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "output_text": ("content", "text"),
    "refusal": ("content", "refusal"),
    "summary_text": ("summary", "text"),
    "reasoning_text": ("content", "text"),
}
"""The type of a part -> where it stands in its item, and which field is its text."""


@dataclass(frozen=True, slots=True)
class Part:
    """One text in a model's output."""

    item: int
    place: str
    """The field of the item: `content` or `summary`."""
    index: int
    key: str
    """The field of the part."""
    text: str

    @property
    def whole(self) -> tuple[int, str, str]:
        """What the text is read as a part of."""
        return self.item, self.place, self.key


def said_by_user(item: object) -> Any:
    """Return the content of an input item that is given to the agent; None of any other."""
    if not isinstance(item, dict) or (item.get("type") or "message") != "message":
        return None
    return item.get("content") if item.get("role") in _USER else None


def with_content(item: Any, content: Any) -> Any:
    """Return a copy of an input item with another content."""
    return {**item, "content": content}


def parts_of_output(output: list[Any]) -> Iterator[Part]:
    """Go through the texts of a model's output items."""
    for number, item in enumerate(output):
        for place in ("content", "summary"):
            for index, part in enumerate(_get(item, place) or ()):
                kind = _TEXTS.get(str(_get(part, "type")))
                if kind is None or kind[0] != place:
                    continue
                text = _get(part, kind[1])
                if isinstance(text, str) and text:
                    yield Part(number, place, index, kind[1], text)


def with_parts(output: list[Any], changes: Mapping[Part, str]) -> list[Any]:
    """Return output items with other texts; what quotes or counts the old ones goes with them.

    A part of which nothing is left is left out, unless it is the last.
    """
    changed = list(output)
    # From behind, so that what is left out moves nothing that is still to be changed.
    for part, text in sorted(changes.items(), key=lambda change: -change[0].index):
        item = changed[part.item]
        rest: dict[str, Any] = {"annotations": [], "logprobs": None} if part.key == "text" else {}
        parts = list(_get(item, part.place))
        parts[part.index] = _replaced(parts[part.index], {part.key: text, **rest})
        if not text and len(parts) > 1:
            del parts[part.index]
        changed[part.item] = _replaced(item, {part.place: parts, "encrypted_content": None})
    return changed


def read_as_json(text: str) -> str | None:
    """Return how JSON reads without escapes; None where that is how it is written."""
    if "\\" not in text:
        return None
    try:
        plain = json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return None
    # What a string holds is read as lines, not as their escapes.
    return plain.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')


def is_repeated(events: Iterable[Any], output: list[Any]) -> bool:
    """Whether all that a stream said piece by piece stands in what it said at the end."""
    streamed: dict[tuple[str, ...], list[str]] = {}
    for event in events:
        delta = getattr(event, "delta", None)
        if isinstance(delta, str):
            fields = ("type", "item_id", "content_index", "summary_index")
            key = tuple(str(getattr(event, name, "")) for name in fields)
            streamed.setdefault(key, []).append(delta)
    said = [part.text for part in parts_of_output(output)]
    said += [str(_get(item, name)) for item in output for name in _SPOKEN if _get(item, name)]
    return all(any(text in one for one in said) for text in map("".join, streamed.values()))


def _get(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _replaced(value: Any, changes: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {**value, **{k: v for k, v in changes.items() if k in value}}
    known = type(value).model_fields
    return value.model_copy(update={k: v for k, v in changes.items() if k in known})
