"""What was judged when it was said: words of models, results of tools, denials; bounded.

Theory of operation. A conversation comes back to the model at each turn, and to the next run of
a session. What a guarded model said in it, what a guarded tool returned and what the policies
told were judged at their own stages, and are no news to the rules about input. They are known
again by their words, in this process alone and for the same session and principal; where there
is no session, in the same run. So is what the run's SDK session, or a state that is resumed, hands
back, for as long as the run lasts. What is not known again counts as judged by nobody. Where the
policies have no rules about input nothing is asked, so nothing is remembered.
"""

from __future__ import annotations

import contextvars
import hashlib
import json
import marshal
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from agents import ItemHelpers
from openai.types.responses import ResponseFunctionToolCall
from pydantic import BaseModel

from policy_engine.adapters.openai_agents.scope import RUN
from policy_engine.engine import Engine
from policy_engine.forks import fork_safe_lock
from policy_engine.guard import Guard, GuardSession
from policy_engine.guard.values import snapshot

__all__ = [
    "KEPT",
    "MARKS",
    "OLD",
    "any_unsaid",
    "is_asked",
    "keys_of",
    "note_result",
    "note_said",
    "was_said",
    "words",
]

KEPT: Final = 50_000
"""How many things that were said are remembered by a guard, the latest."""
OLD: Final[contextvars.ContextVar[frozenset[bytes]]] = contextvars.ContextVar(
    "policy_engine_openai_agents_old", default=frozenset()
)
"""What the run that is under way was handed back, by its words; however much it is."""
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
_KEYS: Final[WeakKeyDictionary[Guard, OrderedDict[bytes, bytes]]] = WeakKeyDictionary()
"""The hash of an item as it stands -> the key of its words: an item comes back at each turn."""
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
    found = words(value)
    if not found:
        return
    key = _key(_begun(session), found)
    with _LOCK:
        known = _SAID.setdefault(guard, OrderedDict())
        known[key] = None
        known.move_to_end(key)
        if len(known) > KEPT:
            known.popitem(last=False)


def keys_of(guard: Guard, session: GuardSession, items: Iterable[object]) -> frozenset[bytes]:
    """Return by what items are known again, where rules about input ask."""
    if not is_asked(guard):
        return frozenset()
    begun = _begun(session)
    return frozenset(_key(begun, found) for found in map(words, items) if found)


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
    return not any_unsaid(guard, session, (value,))


def any_unsaid(guard: Guard, session: GuardSession, values: Iterable[object]) -> bool:
    """Whether any of these says what was not judged when it was said."""
    begun, old = _begun(session), OLD.get()
    with _LOCK:
        known = _SAID.setdefault(guard, OrderedDict())
        keys = _KEYS.setdefault(guard, OrderedDict())
        for value in values:
            key = _key_of(begun, value, keys)
            if key is None:
                continue
            if key in known:
                known.move_to_end(key)
            elif key not in old:
                return True
    return False


def words(value: object) -> list[str]:
    """Return what is read of a value: every text but marks, and of images what they hold.

    Of tools that a search loaded, what they are is told too: a provider's own may say no more.
    """
    found: list[str] = []
    _gather(value, found)
    if _field(value, "type") == _LOADING:
        tools = _field(value, "tools")
        listed = tools if isinstance(tools, list | tuple) else ()
        found.extend(f"{_field(tool, 'type')}" for tool in listed)
    return found


def _field(value: object, name: str) -> object:
    if value.__class__ is dict or isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name, None)


def _gather(value: Any, found: list[str]) -> None:
    if isinstance(value, str):
        if value:
            data = _DATA.match(value) if value.startswith("data:") else None
            found.append(value if data is None else value[data.end() :])
    elif value.__class__ is dict or isinstance(value, Mapping):
        for name, item in value.items():
            if name not in MARKS and item is not None:
                _gather(item, found)
    elif isinstance(value, list | tuple):
        for item in value:
            _gather(item, found)
    elif isinstance(value, BaseModel):
        # What was not set is not sent.
        told = value.model_fields_set
        fields = {**vars(value), **value.model_extra} if value.model_extra else vars(value)
        _gather({name: item for name, item in fields.items() if name in told}, found)


def _begun(session: GuardSession) -> Any:
    """Return a hash to go on from: of whose conversation it is."""
    principal: Mapping[str, Any] = session.principal or {}
    place = session.id if session.id is not None else (RUN.get() or session.trace.trace_id, None)
    named = repr((place, principal.get("id"), principal.get("tenant")))
    return hashlib.blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16)


def _key_of(begun: Any, value: object, keys: OrderedDict[bytes, bytes]) -> bytes | None:
    """Return the key of the words of a value; None where it says nothing."""
    try:
        # The second version writes what is equal alike, and refuses any but the plainest types.
        written = marshal.dumps(cast("Any", value), 2)
    except ValueError:
        found = words(value)
        return _key(begun, found) if found else None
    form = begun.copy()
    form.update(written)
    whole: bytes = form.digest()
    key = keys.get(whole)
    if key is None:
        found = words(value)
        if not found:
            return None
        key = keys[whole] = _key(begun, found)
        if len(keys) > KEPT:
            keys.popitem(last=False)
    return key


def _key(begun: Any, found: list[str]) -> bytes:
    key = begun.copy()
    key.update(repr(found).encode("utf-8", "surrogatepass"))
    digest: bytes = key.digest()
    return digest
