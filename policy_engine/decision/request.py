"""What an agent is about to do, and the fingerprint that an approval is bound to."""

import hashlib
import hmac
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.decision.words import Stage

__all__ = ["Request", "fingerprint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an agent is about to do, read or say.

    Nothing is checked here: a request that is not of the documented form is denied.
    """

    stage: Stage = "tool_call"
    agent: str | None = None
    principal: Mapping[str, Any] | None = None
    """`id`, `roles`, `tenant`, `attrs`."""
    session: str | None = None
    tool: str | None = None
    args: dict[str, Any] | None = None
    result: Any = None
    text: Any = None
    """A string, or a list of content parts as the SDKs write them."""
    target: str | None = None
    """The agent that a handoff goes to."""
    model: str | None = None
    call_id: str | None = None
    context: Mapping[str, Any] | None = None
    id: str | None = None


def fingerprint(request: Request, key: bytes, declared: frozenset[str]) -> str:
    """Bind an approval to exactly one request.

    HMAC-SHA-256 (RFC 2104) over a type-tagged, length-prefixed form: 1, 1.0 and true differ,
    integers are exact, the order of keys does not matter; call id and time are left out.
    """
    principal = request.principal if isinstance(request.principal, Mapping) else {}
    context = request.context if isinstance(request.context, Mapping) else {}
    form = _tagged(
        [
            "policy-engine/fingerprint/1",
            request.stage,
            request.agent,
            principal.get("id"),
            principal.get("tenant"),
            request.session,
            request.tool,
            request.target,
            request.args,
            {name: value for name, value in context.items() if name in declared},
        ],
        0,
    )
    return f"hmac-sha256:{hmac.new(key, form, hashlib.sha256).hexdigest()}"


_MAX_DEPTH: Final = 64


def _tagged(value: object, depth: int) -> bytes:
    if depth > _MAX_DEPTH:
        return b"d;"
    if value is None:
        return b"n;"
    if value is True or value is False:
        return b"t;" if value else b"f;"
    if type(value) is int:
        return _framed(b"i", b"%x" % value if value >= 0 else b"-%x" % -value)
    if type(value) is float:
        return _framed(b"r", struct.pack(">d", value))
    if type(value) is str:
        return _framed(b"s", value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Mapping):
        pairs = sorted((_tagged(k, depth + 1), _tagged(v, depth + 1)) for k, v in value.items())
        return _framed(b"m", b"".join(part for pair in pairs for part in pair))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _framed(b"l", b"".join(_tagged(item, depth + 1) for item in value))
    return _framed(
        b"o", type(value).__qualname__.encode() + b"\x00" + repr(value).encode("utf-8", "replace")
    )


def _framed(tag: bytes, body: bytes) -> bytes:
    return b"%s%d:%s;" % (tag, len(body), body)
