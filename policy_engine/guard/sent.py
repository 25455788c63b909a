"""A decision that was sent from another process: it says the same, and holds no secret."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from policy_engine.decision import Context, Decision, Outcome, Request

__all__ = ["Parcel", "packed", "unpacked"]

Parcel = tuple[Request, Request, Outcome, str, str]


class _Sent(Decision):
    """A decision whose fingerprint was computed where it was made."""

    __slots__ = ("_sent",)

    _sent: str

    def __init__(self, parcel: Parcel) -> None:
        asked, request, outcome, revision, fingerprint = parcel
        super().__init__(asked, outcome, Context(revision, b"", frozenset()), request)
        object.__setattr__(self, "_sent", fingerprint)

    @property
    def fingerprint(self) -> str:
        """What an approval is bound to."""
        return self._sent


def packed(decision: Decision) -> Parcel:
    """Return what is sent of a decision."""
    return (
        _plain(decision.asked),
        _plain(decision.request),
        decision.outcome,
        decision.policy_revision,
        decision.fingerprint,
    )


def unpacked(parcel: Parcel) -> Decision:
    """Return a decision that says what the sent one said."""
    return _Sent(parcel)


def _plain(request: Request) -> Request:
    """Return a request without views of mappings, which cannot be sent."""
    changes: dict[str, Any] = {}
    for name in ("principal", "context"):
        value = getattr(request, name)
        if isinstance(value, Mapping):
            changes[name] = dict(value)
    return replace(request, **changes)
