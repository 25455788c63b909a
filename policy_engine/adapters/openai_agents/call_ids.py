"""Ids of calls: where a model gives one a second time, the new call gets an id of its own.

Theory of operation. A call id that ran is denied, so that a written run which is resumed twice
makes each of its calls once. Some servers of models count the calls of each response, or of each
run, from 0 again. What a model says anew is a call anew, so its id is changed right where the
response comes in, before the SDK sees it: the run's items, sessions and written states hold the
id by which the call is decided. Where the provider keeps the conversation, the ids are its own,
and stay as they are: one that ran is denied.
"""

from collections import OrderedDict
from collections.abc import Iterable
from secrets import token_hex
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from policy_engine.adapters.openai_agents.scope import about
from policy_engine.forks import fork_safe_lock
from policy_engine.guard import Guard, GuardSession
from policy_engine.state.hold import Scope, scope_of

__all__ = ["with_own_ids"]

_CALLS: Final = frozenset(
    {
        "apply_patch_call",
        "computer_call",
        "custom_tool_call",
        "function_call",
        "local_shell_call",
        "shell_call",
    }
)
"""Types of output items that the SDK makes a call of."""
_LONGEST: Final = 64
"""Characters that providers take for an id."""
_OWN: Final = 8
_KEPT: Final = 16_384

_Id: TypeAlias = tuple[Scope, str]

_SEEN: Final[WeakKeyDictionary[Guard, OrderedDict[_Id, None]]] = WeakKeyDictionary()
"""Ids of calls that may not have run yet: in this process alone, and bounded."""
_LOCK: Final = fork_safe_lock()


def with_own_ids(
    guard: Guard, session: GuardSession, output: Iterable[Any], sent: object
) -> list[Any]:
    """Return a model's output items, each call under an id that no other call has.

    Args:
        guard: Who knows which calls ran.
        session: Whose calls they are.
        output: What the model said.
        sent: The conversation that it was sent.
    """
    items = list(output)
    if not any(_get(item, "type") in _CALLS for item in items):
        return items
    told = {
        item.get("call_id") if item.__class__ is dict else _id(item)
        for item in (sent if isinstance(sent, list) else ())
    }
    answered = {_id(item) for item in items if str(_get(item, "type")).endswith("_output")}
    found: list[Any] = []
    for item in items:
        call_id = _id(item)
        if _get(item, "type") not in _CALLS or call_id is None or call_id in answered:
            found.append(item)
            continue
        if not call_id or call_id in told or not _is_new(guard, session, call_id):
            head = call_id[: _LONGEST - 2 * _OWN - 1] or "call"
            call_id = f"{head}_{token_hex(_OWN)}"
            item = item.model_copy(update={"call_id": call_id})  # noqa: PLW2901 - its own copy
        told.add(call_id)
        found.append(item)
    return found


def _is_new(guard: Guard, session: GuardSession, call_id: str) -> bool:
    """Whether a call id was not met in this session, and note that it was."""
    request = about(session, "tool_call", tool="", call_id=call_id)
    key = (scope_of(request), call_id)
    with _LOCK:
        seen = _SEEN.setdefault(guard, OrderedDict())
        is_first = key not in seen
        seen[key] = None
        seen.move_to_end(key)
        if len(seen) > _KEPT:
            seen.popitem(last=False)
    return is_first and guard.ran(request) is False


def _id(item: object) -> str | None:
    found = _get(item, "call_id")
    return found if isinstance(found, str) else None


def _get(item: object, name: str) -> Any:
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)
