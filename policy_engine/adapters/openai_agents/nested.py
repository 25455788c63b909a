"""Histories that a handoff has put into one message: judged as what they are made of.

The SDK can write the conversation so far into a message of the assistant, a line for each item.
The words of users in it are the SDK's copy of what was given, before anything was redacted; the
others are known again where they were judged, or judged like any item. What stands between the
markers and is no line of that form is judged as a text.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from agents.handoffs import get_conversation_history_wrappers

from policy_engine.adapters.openai_agents.texts import with_content

__all__ = ["history_items", "nested_history", "with_history"]

_NUMBER: Final = re.compile(r"\s*(?:\d+\.\s+)?")
_SAID: Final = re.compile(r"(?P<role>\w+)(?P<name>\s*\(.*?\))?:\s?(?P<text>.*)", re.DOTALL)
_ROLES: Final = frozenset({"assistant", "developer", "system", "user"})
_FRAME: Final = frozenset(
    {
        "For context, here is the conversation so far between the user and the previous agent:",
        "For context, here is the conversation so far:",
        "(no previous turns recorded)",
        "1. (no previous turns recorded)",
        "",
    }
)
"""What the SDK itself writes around a history."""

Judge = Callable[[dict[str, Any]], Awaitable[Mapping[str, Any] | None]]
"""Returns an item as it may be read; None where it may not."""


def nested_history(item: object) -> str | None:
    """Return the history that an input item holds; None where it holds none."""
    if not isinstance(item, dict) or item.get("role") != "assistant":
        return None
    content = item.get("content")
    if not isinstance(content, str):
        return None
    start, _ = get_conversation_history_wrappers()
    return content if start in content else None


def history_items(item: object) -> list[dict[str, Any]] | None:
    """Return what a history in one message is made of; None where the item holds none."""
    history = nested_history(item)
    if history is None:
        return None
    frame = _FRAME.union(get_conversation_history_wrappers())
    found: list[dict[str, Any]] = []
    for kind, group in itertools.groupby(history.split("\n"), lambda line: _kind(line, frame)):
        if kind == "text":
            found.append({"role": "assistant", "content": "\n".join(group)})
        elif kind == "item":
            found += [told[1] for told in map(_item_in, group) if told is not None]
    return found


async def with_history(item: dict[str, Any], judge: Judge) -> dict[str, Any]:
    """Return the item with what its history says as it may be read."""
    frame = _FRAME.union(get_conversation_history_wrappers())
    lines = str(item["content"]).split("\n")
    kept: list[str] = []
    for kind, group in itertools.groupby(lines, lambda line: _kind(line, frame)):
        if kind == "frame":
            kept += group
        elif kind == "text":
            kept += await _text("\n".join(group), judge)
        else:
            for line in group:
                kept += await _line(line, judge)
    content = "\n".join(kept)
    return item if content == item["content"] else with_content(item, content)


def _kind(line: str, frame: frozenset[str]) -> str:
    if line in frame:
        return "frame"
    return "text" if _item_in(line) is None else "item"


def _item_in(line: str) -> tuple[str, dict[str, Any]] | None:
    """Return what stands before an item, and the item; None where there is none."""
    number = _NUMBER.match(line)
    head = "" if number is None else number[0]
    rest = line[len(head) :]
    told = _SAID.fullmatch(rest)
    if told is not None and told["role"] in _ROLES:
        before = len(rest) - len(told["text"])
        return head + rest[:before], {"role": told["role"], "content": told["text"]}
    if told is not None:
        head, rest = head + rest[: len(rest) - len(told["text"])], told["text"]
    try:
        found = json.loads(rest)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return head, found


async def _line(line: str, judge: Judge) -> list[str]:
    found = _item_in(line)
    if found is None:
        return [line]
    head, item = found
    permitted = await judge(item)
    if permitted is None or permitted is item or permitted == item:
        return [] if permitted is None else [line]
    if line == f"{head}{item.get('content')}":
        return [f"{head}{permitted['content']}"]
    return [head + json.dumps(permitted, ensure_ascii=False)]


async def _text(text: str, judge: Judge) -> list[str]:
    permitted = await judge({"role": "assistant", "content": text})
    return [] if permitted is None else [str(permitted["content"])]
