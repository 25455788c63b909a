"""Histories that a handoff has put into one message: what users said in them is judged as said.

The SDK can write the conversation so far into a message of the assistant, a line for each item.
The words of users in it are the SDK's copy of what was given, before anything was redacted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from agents.handoffs import get_conversation_history_wrappers

from policy_engine.adapters.openai_agents.texts import said_by_user, with_content

__all__ = ["nested_history", "with_history"]

_SAID: Final = re.compile(
    r"(?P<head>\s*(?:\d+\.\s+)?(?:user|system|developer)(?:\s*\(.*?\))?:\s?)(?P<text>.*)",
    re.DOTALL,
)
_NUMBER: Final = re.compile(r"\s*(?:\d+\.\s+)?")

Judge = Callable[[Any], Awaitable[Any]]
"""Returns a content as it may be read; None where it may not."""


def nested_history(item: object) -> str | None:
    """Return the history that an input item holds; None where it holds none."""
    if not isinstance(item, dict) or item.get("role") != "assistant":
        return None
    content = item.get("content")
    start, _ = get_conversation_history_wrappers()
    return content if isinstance(content, str) and start in content else None


async def with_history(item: dict[str, Any], judge: Judge) -> dict[str, Any]:
    """Return the item with what users said in its history as it may be read."""
    lines = [await _line(line, judge) for line in str(item["content"]).split("\n")]
    content = "\n".join(line for line in lines if line is not None)
    return item if content == item["content"] else with_content(item, content)


async def _line(line: str, judge: Judge) -> str | None:
    told = _SAID.fullmatch(line)
    if told is not None:
        text = await judge(told["text"]) if told["text"] else ""
        return None if text is None else f"{told['head']}{text}"
    number = _NUMBER.match(line)
    head = "" if number is None else number[0]
    try:
        found = json.loads(line[len(head) :])
    except ValueError:
        return line
    content = said_by_user(found)
    if content in (None, "", []):
        return line
    permitted = await judge(content)
    if permitted is None or permitted == content:
        return None if permitted is None else line
    return head + json.dumps(with_content(found, permitted), ensure_ascii=False)
