"""What was judged when it was said: words of models, results of tools, denials; bounded.

Theory of operation. A conversation comes back to the model at each turn, and to the next run of
a session. What a guarded model said in it, what a guarded tool returned and what the policies
told were judged at their own stages, and are no news to the rules about input. They are known
again by their words, in this process alone and for the same session and principal; where there
is no session, in the same run. What is not known again counts as judged by nobody. Where the
policies have no rules about input nothing is asked, so nothing is remembered.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from agents import ItemHelpers
from openai.types.responses import ResponseFunctionToolCall
from pydantic import BaseModel

from policy_engine.adapters.openai_agents.scope import RUN
from policy_engine.engine import Engine
from policy_engine.forks import fork_safe_lock
from policy_engine.guard import Guard, GuardSession
from policy_engine.guard.values import snapshot

__all__ = ["KEPT", "MARKS", "is_asked", "note_result", "note_said", "was_said", "words"]

KEPT: Final = 50_000
"""How many things that were said are remembered by a guard, the latest."""
MARKS: Final = frozenset(
    {
        "_agents_tool_description",
        "_agents_tool_title",
        "approval_request_id",
        "call_id",
        "caller",
        "created_by",
        "detail",
        "id",
        "logprobs",
        "phase",
        "provider_data",
        "role",
        "status",
        "type",
    }
)
"""Fields that say what an item is, and nothing that is read."""
_DATA: Final = re.compile(r"data:[\w/+.-]*;base64,")
_CALL: Final = ResponseFunctionToolCall(type="function_call", call_id="c", name="n", arguments="{}")
_ASKED: Final[WeakKeyDictionary[Engine, bool]] = WeakKeyDictionary()
_LOADING: Final = "tool_search_output"
"""The type of an item that is known again for the tools that it brings."""
_SAID: Final[WeakKeyDictionary[Guard, OrderedDict[bytes, None]]] = WeakKeyDictionary()
_LOCK: Final = fork_safe_lock()


def is_asked(guard: Guard) -> bool:
    """Whether any policy has rules about input."""
    engine = guard.engine
    found = _ASKED.get(engine)
    if found is None:
        policies = engine.compiled.policies.policies
        found = _ASKED[engine] = any(one.policy.input for one in policies)
    return found


def note_said(guard: Guard, session: GuardSession, value: object) -> None:
    """Remember an item, or a text, that was judged as it stands.

    Args:
        guard: Who judged it.
        session: Whose conversation it is in.
        value: An item of the SDK as a model or as a mapping, or its words.
    """
    if not is_asked(guard) and getattr(value, "type", None) != _LOADING:
        return
    key = _key(session, value)
    if key is None:
        return
    with _LOCK:
        known = _SAID.setdefault(guard, OrderedDict())
        known[key] = None
        known.move_to_end(key)
        if len(known) > KEPT:
            known.popitem(last=False)


def note_result(guard: Guard, session: GuardSession, result: object) -> None:
    """Remember what a tool returned, in each form in which the SDK may hand it to the model."""
    if result is None or isinstance(result, str) or not is_asked(guard):
        note_said(guard, session, result)
        return
    try:
        note_said(guard, session, ItemHelpers.tool_call_output_item(_CALL, result)["output"])
        form = snapshot(result)[0]
    except Exception:  # noqa: BLE001 - it ran: what is not remembered is judged when it is sent
        return
    note_said(guard, session, form)
    if isinstance(form, Mapping):
        compact = json.dumps(form, ensure_ascii=False, separators=(",", ":"))
        note_said(guard, session, compact)


def was_said(guard: Guard, session: GuardSession, value: object) -> bool:
    """Whether this was judged when it was said; also where it says nothing."""
    key = _key(session, value)
    if key is None:
        return True
    with _LOCK:
        known = _SAID.get(guard)
        if known is None or key not in known:
            return False
        known.move_to_end(key)
        return True


def words(value: object) -> Iterator[str]:
    """Go through what is read of a value: every text but marks, and of images what they hold."""
    if isinstance(value, str):
        if value:
            yield value[found.end() :] if (found := _DATA.match(value)) else value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if name not in MARKS:
                yield from words(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from words(item)
    elif isinstance(value, BaseModel):
        # What was not set is not sent.
        told = value.model_fields_set
        yield from words({name: item for name, item in value if name in told})


def _key(session: GuardSession, value: object) -> bytes | None:
    """Return what a value is known by; None where it says nothing."""
    found = list(words(value))
    if not found:
        return None
    principal: Mapping[str, Any] = session.principal or {}
    place = session.id if session.id is not None else (RUN.get() or session.trace.trace_id, None)
    named = repr((place, principal.get("id"), principal.get("tenant"), found))
    return hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).digest()
