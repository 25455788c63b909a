"""Which trace a request belongs to, as W3C Trace Context writes it."""

import os
import re
from dataclasses import dataclass, field
from typing import Final

from policy_engine.audit.wire import as_fields

__all__ = ["Trace", "new_trace", "read_traceparent"]

_FORM: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-"
    r"(?P<flags>[0-9a-f]{2})(?P<more>-[\x20-\x7e]*)?"
)
_LONGEST: Final = 512


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace, the span of the caller where one is known, and the group it belongs to."""

    trace_id: str
    """32 lower-case hexadecimal digits, not all zero; or what a caller's own framework calls it."""
    parent_id: str | None = None
    """16 lower-case hexadecimal digits, not all zero."""
    group_id: str | None = None
    """What an agent framework groups traces by, such as a conversation; any text."""
    fields: str = field(init=False, repr=False, compare=False)
    """All of it as JSON fields: they are the same in every record of the trace."""

    def __post_init__(self) -> None:
        names = ("trace_id", "parent_id", "group_id")
        found = as_fields({name: getattr(self, name) for name in names})
        object.__setattr__(self, "fields", found)


def read_traceparent(text: object) -> Trace | None:
    """Read a `traceparent` header; None where it is not exactly of the documented form.

    A later version may say more behind the flags, as https://www.w3.org/TR/trace-context/ has it.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    found = _FORM.fullmatch(text)
    if found is None or found["version"] == "ff":
        return None
    if found["version"] == "00" and found["more"] is not None:
        return None
    if not (found["trace"].strip("0") and found["parent"].strip("0")):
        return None
    return Trace(found["trace"], found["parent"])


def new_trace() -> Trace:
    """Begin a trace of its own, with an id of the system's randomness."""
    found = os.urandom(16).hex()
    return Trace(found) if found.strip("0") else new_trace()
