"""What models wrote of calls that are kept redacted: in this process alone, and bounded."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from policy_engine.guard import Guard, GuardSession

__all__ = ["as_written", "note_written"]

_KEPT: Final = 1024

_Key: TypeAlias = tuple[str | None, str | None, str, str]

_WRITTEN: Final[WeakKeyDictionary[Guard, OrderedDict[_Key, dict[str, Any]]]] = WeakKeyDictionary()


def note_written(
    guard: Guard,
    session: GuardSession,
    name: str,
    args: dict[str, Any],
    permitted: Mapping[str, Any],
) -> None:
    """Remember the arguments of a call that is kept as it was permitted."""
    known = _WRITTEN.setdefault(guard, OrderedDict())
    key = _key(session, name, permitted)
    known[key] = args
    known.move_to_end(key)
    if len(known) > _KEPT:
        known.popitem(last=False)


def as_written(
    guard: Guard, session: GuardSession, name: str, args: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments by which a call is decided: as the model wrote them, where known."""
    known = _WRITTEN.get(guard)
    return args if not known else known.get(_key(session, name, args), args)


def _key(session: GuardSession, name: str, args: Mapping[str, Any]) -> _Key:
    return session.id, session.agent, name, json.dumps(args, sort_keys=True)
