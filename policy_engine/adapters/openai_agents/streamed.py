"""The events of a stream: which item each is about, and what they say that the end does not.

Theory of operation. A response is judged by its items as they stand at its end. So an event may
be handed on where all that it says stands there too: then it was judged. An event is about the
item at its index, where that is the one that it names; what names another one is about that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from policy_engine.adapters.openai_agents.texts import NAMES, field_of, fields_of, texts_of

__all__ = ["item_of", "unrepeated"]

_SILENT: Final = NAMES | {"item_id", "obfuscation", "sequence_number"}
"""Fields of events that say nothing."""
_ECHOING: Final = "response"
"""The field of an event that repeats what was sent, beside the output so far."""
_IMAGE: Final = "partial_image_b64"


def item_of(event: object, output: Sequence[Any]) -> int | None:
    """Return which item of a response an event is about; None where none is, or several may be."""
    index = field_of(event, "output_index")
    item, item_id = field_of(event, "item"), field_of(event, "item_id")
    if type(index) is not int and item is None and item_id is None:
        return None
    fitting = [number for number, one in enumerate(output) if _fits(item, item_id, one)]
    if index in fitting:
        return int(index)
    return fitting[0] if len(fitting) == 1 else None


def unrepeated(
    events: Iterable[Any],
    about: Iterable[int | None],
    grounds: Mapping[int | None, Sequence[Any]],
) -> set[int]:
    """Return the positions of events that say more than stands in a response's items.

    Args:
        events: All that was streamed.
        about: What each is about.
        grounds: For each of these, the items in which all that is said has to stand.
    """
    texts = {key: [text for _, text in texts_of(list(items))] for key, items in grounds.items()}
    images = {
        key: any(field_of(item, "type") == "image_generation_call" for item in items)
        for key, items in grounds.items()
    }
    pieces: dict[tuple[int | None, tuple[str, ...]], list[tuple[int, str]]] = {}
    found: set[int] = set()
    for position, (event, key) in enumerate(zip(events, about, strict=True)):
        told = fields_of(event)
        if not told:
            found.add(position)
        for name, value in told.items():
            if name == "delta" and isinstance(value, str):
                pieces.setdefault((key, _source(event)), []).append((position, value))
            elif name not in _SILENT and not (name == _IMAGE and images[key]):
                held = _told(value) if name == _ECHOING else value
                if not all(_stands(text, texts[key]) for _, text in texts_of(held)):
                    found.add(position)
    for (at, _), parts in pieces.items():
        if not _stands("".join(text for _, text in parts), texts[at]):
            found |= {position for position, _ in parts}
    return found


def _told(response: object) -> list[Any]:
    """Return what a response says, and says once more in one text, as some servers do."""
    told = fields_of(response)
    return [told.get("output"), told.get("output_text")]


def _stands(text: str, said: Iterable[str]) -> bool:
    """Whether a text is a part of one of others."""
    return any(text in one for one in said)


def _source(event: Any) -> tuple[str, ...]:
    """Return what tells apart the texts that are streamed side by side."""
    indices = sorted(name for name in fields_of(event) if name.endswith("_index"))
    fields = ("type", "item_id", *indices)
    return tuple(str(field_of(event, name)) for name in fields)


def _fits(item: object, item_id: object, one: object) -> bool:
    """Whether an event that holds an item, or names one, may be about another one."""
    names = field_of(one, "id"), field_of(one, "call_id")
    if item is None:
        return item_id is None or names[0] is None or item_id in names
    told = field_of(item, "id"), field_of(item, "call_id")
    return field_of(item, "type") == field_of(one, "type") and all(
        old is None or new is None or old == new for old, new in zip(told, names, strict=True)
    )
