"""The words of the reports: effects, stages, durations and numbers for a reader."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from policy_engine.decision import Effect, Request
from policy_engine.policy.words import number

__all__ = ["COLOR", "HEADLINE", "SPOKE", "counted", "duration", "number", "subject", "window"]

HEADLINE: Final[Mapping[Effect, str]] = MappingProxyType(
    {
        "allow": "Permitted",
        "redact": "Permitted after redaction",
        "require_approval": "Needs an approval",
        "deny": "Denied",
    }
)
SPOKE: Final[Mapping[Effect, str]] = MappingProxyType(
    {
        "allow": "permitted by",
        "redact": "redacted by",
        "require_approval": "held for an approval by",
        "deny": "denied by",
    }
)
COLOR: Final[Mapping[Effect, str]] = MappingProxyType(
    {"allow": "green", "redact": "cyan", "require_approval": "yellow", "deny": "red"}
)

_UNITS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return `1 fault`, `2 faults`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Return a duration in its largest whole unit: `15 minutes`, `500 milliseconds`."""
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            return counted(int(seconds // size), unit)
    return counted(round(seconds * 1000), "millisecond")


def window(per: float | str | None, timezone: str = "UTC") -> str:
    """Return what a limit is counted over: `per hour`, `per day in UTC`, `in all`."""
    if per is None:
        return "in all"
    if isinstance(per, str):
        return f"per {per} in {timezone}"
    words = duration(per)
    return f"per {words.removeprefix('1 ')}"


def subject(request: Request) -> str:
    """Return what a request is about: the call of a tool, a handoff, an input."""
    match request.stage:
        case "tool_call":
            return f"the call of {request.tool}"
        case "tool_result":
            return f"the result of {request.tool}"
        case "handoff":
            return f"the handoff to {request.target}"
        case "model_request":
            return f"the request to the model {request.model}"
        case "model_response":
            return f"the response of the model {request.model}"
        case stage:
            return f"the {stage}"
