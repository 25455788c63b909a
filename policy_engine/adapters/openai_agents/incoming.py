"""What an agent is given: judged once where it is new, redacted wherever it stands."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from policy_engine.adapters.openai_agents.judge import enforce, foresee
from policy_engine.adapters.openai_agents.nested import nested_history, with_history
from policy_engine.adapters.openai_agents.parts import decided
from policy_engine.adapters.openai_agents.scope import GIVEN, RUN
from policy_engine.adapters.openai_agents.texts import said_by_user, with_content
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["is_judged", "judged_input", "model_input", "new_items", "note_judged"]

_KEPT: Final = 4096


class _Judged:
    """Contents that were let through lately, by session; bounded."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def add(self, key: bytes) -> None:
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > _KEPT:
            self._seen.popitem(last=False)

    def __contains__(self, key: bytes) -> bool:
        return key in self._seen


_JUDGED: Final[WeakKeyDictionary[Guard, _Judged]] = WeakKeyDictionary()


def new_items(items: str | Sequence[Any]) -> list[Any]:
    """Return what is new in an input.

    Where the run has an SDK session, that is what it was given beside the history; else what
    follows the last word of a model or a tool.
    """
    if isinstance(items, str):
        return [{"role": "user", "content": items}]
    given = GIVEN.get()
    if given and list(items[-len(given) :]) == list(given):
        return list(given)
    found: list[Any] = []
    for item in reversed(items):
        if said_by_user(item) is None:
            break
        found.append(item)
    return found[::-1]


async def judged_input(guard: Guard, session: GuardSession, items: Sequence[Any]) -> list[Any]:
    """Judge what an agent is newly given, and return it as the agent may read it.

    Raises:
        Denied: The agent may not read it.
    """
    judged: list[Any] = []
    for item in items:
        content = said_by_user(item)
        if content in (None, "", []) or is_judged(guard, session, content):
            judged.append(item)
            continue
        _, permitted = await decided(guard, session, "input", content, enforce)
        note_judged(guard, session, content)
        if permitted is not content:
            note_judged(guard, session, permitted)
            item = with_content(item, permitted)  # noqa: PLW2901 - the item as it may be read
        judged.append(item)
    return judged


async def model_input(guard: Guard, session: GuardSession, items: str | Sequence[Any]) -> list[Any]:
    """Return what a model is sent: redacted where a rule says so, and without what is denied.

    What is new here was added by a filter or a history made by hand, and is judged. What is old
    and denied was refused when it came, or came before the rule: it is left out.

    Raises:
        Denied: Nothing of what is new may be sent.
    """

    async def old(content: Any) -> Any:
        try:
            return await _permitted(guard, session, content, is_new=False)
        except Denied:
            return None

    listed = [{"role": "user", "content": items}] if isinstance(items, str) else list(items)
    new = len(new_items(listed))
    sent: list[Any] = []
    refused: Denied | None = None
    left = 0
    for place, item in enumerate(listed, start=new - len(listed)):
        content = said_by_user(item)
        if nested_history(item) is not None:
            sent.append(await with_history(item, old))
            continue
        if content in (None, "", []):
            sent.append(item)
            continue
        try:
            permitted = await _permitted(guard, session, content, is_new=place >= 0)
        except Denied as denied:
            refused = denied if place >= 0 else refused
            continue
        left += place >= 0
        sent.append(item if permitted is content else with_content(item, permitted))
    if refused is not None and not left:
        raise refused
    return sent


async def _permitted(guard: Guard, session: GuardSession, content: Any, *, is_new: bool) -> Any:
    if is_new and not is_judged(guard, session, content):
        _, permitted = await decided(guard, session, "input", content, enforce)
        note_judged(guard, session, content)
        return permitted
    decision, permitted = await decided(guard, session, "input", content, foresee)
    if decision.permitted:
        return permitted
    if is_judged(guard, session, content):
        # It was let through in this run; a rule about time or labels does not take it back.
        return content
    raise Denied(decision)


def is_judged(guard: Guard, session: GuardSession, content: Any) -> bool:
    """Whether this content was let through in this session, under the policies of now."""
    return _key(guard, session, content) in _JUDGED.get(guard, ())


def note_judged(guard: Guard, session: GuardSession, content: Any) -> None:
    """Remember that this content was let through."""
    _JUDGED.setdefault(guard, _Judged()).add(_key(guard, session, content))


def _key(guard: Guard, session: GuardSession, content: Any) -> bytes:
    principal = session.principal or {}
    named = [guard.revision, session.id, session.agent, RUN.get() or session.trace.trace_id]
    text = json.dumps([*named, principal.get("id"), principal.get("tenant"), content], default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
