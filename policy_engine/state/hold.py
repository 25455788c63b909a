"""What requests hold in counters, and what keys they are found by."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from policy_engine.decision import Request, fingerprint
from policy_engine.state.alert import Alert
from policy_engine.state.counter import Held

__all__ = ["NO_HOLD", "Call", "Hold", "Key", "Pending", "Scope", "Usage", "call_of", "scope_of"]

Scope: TypeAlias = tuple[str | None, str | None, str | None]
"""Tenant, principal and session."""
Key: TypeAlias = tuple[str, tuple[str, ...]]
"""A limit, and what shares one counter of it."""
Call: TypeAlias = tuple[str, str, str]
"""A stage, a call id, and what says which request it is."""


class Pending(NamedTuple):
    """What a call holds that may run yet."""

    taken: dict[Key, Held | None]
    times: int = 1
    """How many permitted requests may run it: each of them gives it back, or one runs."""


class Hold(NamedTuple):
    """What a permitted request holds in counters until it has run."""

    scope: Scope
    call: Call | None
    model: str | None
    taken: Mapping[Key, Held | None]
    again: bool = False
    """Whether an earlier request of this call id holds the same, and may run yet."""
    alerts: tuple[Alert, ...] = ()
    """Limits that this request brought to the share that alerts."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What became of reported usage."""

    was_awaited: bool
    """Whether a permitted request was waiting for it."""
    alerts: tuple[Alert, ...] = ()
    """Limits that it brought to the share that alerts."""


_MAPPINGS: Final = (dict, MappingProxyType)
"""What principals usually are."""
_NOTHING: Final[frozenset[str]] = frozenset()
NO_HOLD: Final = Hold((None, None, None), None, None, MappingProxyType({}))


def scope_of(request: Request) -> Scope:
    """Return whose session a request belongs to."""
    principal: Any = request.principal
    if principal.__class__ not in _MAPPINGS and not isinstance(principal, Mapping):
        return None, None, request.session
    tenant, person = principal.get("tenant"), principal.get("id")
    return (
        tenant if isinstance(tenant, str) else None,
        person if isinstance(person, str) else None,
        request.session,
    )


def call_of(request: Request) -> Call | None:
    """Return what is asked again about: the same request under the same call id."""
    if request.call_id is None:
        return None
    # What a model is asked is not in a fingerprint, and reported usage does not repeat it.
    which = "" if request.stage == "model_request" else _which(request)
    return str(request.stage), request.call_id, which


def _which(request: Request) -> str:
    try:
        return fingerprint(request, b"", _NOTHING)
    except Exception:  # noqa: BLE001 - a malformed request has none, and is denied
        return ""
