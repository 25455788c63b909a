"""What an agent is given: judged once where it is new, redacted wherever it stands."""

from __future__ import annotations

import contextvars
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from policy_engine.adapters.openai_agents.judge import enforce, foresee
from policy_engine.adapters.openai_agents.nested import nested_history, with_history
from policy_engine.adapters.openai_agents.parts import decided
from policy_engine.adapters.openai_agents.said import any_unsaid, is_asked
from policy_engine.adapters.openai_agents.scope import GIVEN, RUN, about
from policy_engine.adapters.openai_agents.texts import said_by_user, with_content
from policy_engine.adapters.openai_agents.unjudged import (
    CHANGING,
    Unjudged,
    refuse_odd,
    with_known_tools,
)
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = [
    "FORMER",
    "has_unjudged",
    "is_judged",
    "judged_input",
    "model_input",
    "new_items",
    "note_judged",
]

FORMER: Final[contextvars.ContextVar[tuple[tuple[Any, Any], ...]]] = contextvars.ContextVar(
    "policy_engine_openai_agents_former", default=()
)
"""What this run was given, as it is kept -> as it was told: the agent that reads it is judged by
what was told, and its redaction is recorded.
"""
_KEPT: Final = 4096
_EMPTY: Final[tuple[Any, ...]] = (None, "", [])


class _Judged:
    """Contents that were let through lately, by session, and how; bounded."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, Any] = OrderedDict()

    def add(self, key: bytes, permitted: Any) -> None:
        self._seen[key] = permitted
        self._seen.move_to_end(key)
        if len(self._seen) > _KEPT:
            self._seen.popitem(last=False)

    def get(self, key: bytes) -> Any:
        return self._seen.get(key)

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
        if content in _EMPTY or is_judged(guard, session, content):
            judged.append(item)
            continue
        told = next((was for now, was in FORMER.get() if now == content), content)
        _, permitted = await decided(guard, session, "input", told, enforce)
        note_judged(guard, session, content, permitted)
        if permitted is not content:
            note_judged(guard, session, permitted)
            item = with_content(item, permitted)  # noqa: PLW2901 - the item as it may be read
        judged.append(item)
    return judged


def has_unjudged(
    guard: Guard, session: GuardSession, model: str, items: str | Sequence[Any]
) -> bool:
    """Whether a request holds what no earlier stage judged, and rules that might speak of it.

    Raises:
        UnmediatedError: It holds what changes what the model may do, or cannot be read.
    """
    if isinstance(items, str):
        return False
    for item in items:
        if item.__class__ is not dict or item.get("type") in CHANGING:
            refuse_odd(session, item)
    asked = about(session, "model_request", model=model, text="")
    if not is_asked(guard) or guard.engine.is_quiet(asked):
        return False
    listed: list[Any] = list(items)
    others = [item for item in listed if item.get("role") is None or said_by_user(item) is None]
    told = (item for item in others if item.get("role") is not None)
    return any(map(nested_history, told)) or any_unsaid(guard, session, others)


async def model_input(
    guard: Guard, session: GuardSession, items: str | Sequence[Any], unjudged: Unjudged | None
) -> list[Any]:
    """Return what a model is sent: redacted where a rule says so, and without what is denied.

    What users say and is new here was added by a filter or a history made by hand, and is
    judged. What is old and denied was refused when it came, or came before the rule: it is left
    out.

    Args:
        guard: Whom to ask.
        session: Who asks.
        items: The conversation.
        unjudged: Judges what stands beside the users' words; None where nothing asks about it.

    Raises:
        Denied: Nothing of what is new may be sent.
    """
    listed = [{"role": "user", "content": items}] if isinstance(items, str) else list(items)
    is_quiet = guard.engine.is_quiet(about(session, "input", text=""))
    sending = _Sending(guard, session, unjudged, is_quiet)
    sent: list[Any] = []
    refused: Denied | None = None
    left = 0
    for place, item in enumerate(listed, start=len(new_items(listed)) - len(listed)):
        if unjudged is None and (
            (is_quiet and place < 0)
            or item.get("role") is None
            or (said_by_user(item) is None and nested_history(item) is None)
        ):
            # What a model said, a call or a result, or what is old; and nobody asks about it.
            sent.append(with_known_tools(guard, session, item))
            continue
        try:
            sent.append(await sending.item(item, is_new=place >= 0))
        except Denied as denied:
            refused = denied if place >= 0 else refused
            continue
        left += place >= 0 and said_by_user(item) is not None
    if refused is not None and not left:
        raise refused
    return sent


@dataclass(frozen=True, slots=True)
class _Sending:
    """Items of one request, on their way to the model."""

    guard: Guard
    session: GuardSession
    unjudged: Unjudged | None
    is_quiet: bool
    """Whether no rule is about what users say."""

    async def item(self, item: Any, *, is_new: bool) -> Any:
        """Return an item as it may be sent.

        Raises:
            Denied: A user says what may not be sent.
        """
        item = with_known_tools(self.guard, self.session, item)
        content = said_by_user(item)
        if nested_history(item) is not None:
            return await with_history(item, self._old)
        if content in _EMPTY:
            if content is None and self.unjudged is not None:
                return await self.unjudged.item(item)
            return item
        if self.is_quiet and (not is_new or is_judged(self.guard, self.session, content)):
            return item
        permitted = await _permitted(self.guard, self.session, content, is_new=is_new)
        return item if permitted is content else with_content(item, permitted)

    async def _old(self, item: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return what stands in a nested history; None where it is left out."""
        if said_by_user(item) is None:
            return item if self.unjudged is None else await self.unjudged.item(item)
        try:
            found: Mapping[str, Any] = await self.item(item, is_new=False)
        except Denied:
            return None
        return found


async def _permitted(guard: Guard, session: GuardSession, content: Any, *, is_new: bool) -> Any:
    if content in _EMPTY:
        return content
    if is_new and not is_judged(guard, session, content):
        _, permitted = await decided(guard, session, "input", content, enforce)
        note_judged(guard, session, content, permitted)
        return permitted
    decision, permitted = await decided(guard, session, "input", content, foresee)
    if decision.permitted:
        return permitted
    if is_judged(guard, session, content):
        # It was let through in this run; a rule about time or labels does not take it back.
        known = _JUDGED[guard].get(_key(guard, session, content))
        return content if known is None else known
    raise Denied(decision)


def is_judged(guard: Guard, session: GuardSession, content: Any) -> bool:
    """Whether this content was let through in this session, under the policies of now."""
    return _key(guard, session, content) in _JUDGED.get(guard, ())


def note_judged(guard: Guard, session: GuardSession, content: Any, permitted: Any = None) -> None:
    """Remember that this content was let through; as something else, where that is told."""
    changed = None if permitted is content else permitted
    _JUDGED.setdefault(guard, _Judged()).add(_key(guard, session, content), changed)


def _key(guard: Guard, session: GuardSession, content: Any) -> bytes:
    principal = session.principal or {}
    named = [guard.revision, session.id, session.agent, RUN.get() or session.trace.trace_id]
    text = json.dumps([*named, principal.get("id"), principal.get("tenant"), content], default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
