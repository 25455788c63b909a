"""A request that is enforced by hand: copied on the way in, settled by its decision."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from policy_engine.decision import Decision, Request
from policy_engine.guard.call import Call
from policy_engine.guard.session import GuardSession
from policy_engine.guard.unjudgeable import UnjudgeableError
from policy_engine.guard.values import ATOMS, snapshot

__all__ = ["Enforced", "copied", "named"]

_NAMES: Final = ("stage", "agent", "session", "tool", "target", "model", "call_id", "id")
_VALUES: Final = ("args", "principal", "context", "text", "result")
_MAPPINGS: Final = ("principal", "context")


class Enforced(Decision):
    """A decision that a guard has counted and recorded; it knows what is owed after the call."""

    __slots__ = ("call",)

    call: Call

    def __init__(self, decision: Decision, call: Call) -> None:
        # A decision is of this engine's making; nothing of it is changed.
        super().__init__(decision.asked, decision.outcome, decision.context, decision.request)
        object.__setattr__(self, "call", call)


def copied(request: Request, session: GuardSession | None) -> Request:
    """Return a request that nobody else can change, with what the session around it says.

    Who asks is taken from the session only where the request does not say it itself.

    Raises:
        UnjudgeableError: A part of it is no JSON value.
    """
    for name in _NAMES:
        kind = type(getattr(request, name))
        if kind is not str and kind is not type(None):
            raise UnjudgeableError(f'"{name}" is a text, not "{kind.__qualname__}"')
    changes: dict[str, Any] = {}
    for name in _VALUES:
        value = getattr(request, name)
        if type(value) in ATOMS:
            continue
        if name in _MAPPINGS and isinstance(value, Mapping):
            value = dict(value)
        try:
            changes[name] = snapshot(value)[0]
        except UnjudgeableError as error:
            raise UnjudgeableError(f'"{name}" cannot be judged: {error}') from None
    if session is not None:
        known = {name: value for name, value in _who(session) if value is not None}
        changes.update({n: value for n, value in known.items() if getattr(request, n) is None})
    return replace(request, **changes) if changes else request


def _who(session: GuardSession) -> tuple[tuple[str, Any], ...]:
    return (
        ("agent", session.agent),
        ("principal", session.principal),
        ("session", session.id),
        ("context", session.context),
    )


def named(request: Request) -> Request:
    """Return a request that holds no more than the names of one that cannot be judged."""
    kept: dict[str, Any] = {
        name: value for name in _NAMES if type(value := getattr(request, name)) is str
    }
    return Request(**kept)
