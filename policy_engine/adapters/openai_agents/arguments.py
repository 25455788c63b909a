"""The final arguments of a call: parsed once, completed, and handed on as they were judged.

Theory of operation. The SDK asks people about each call whose arguments it cannot read, and asks
the policies nothing. So what cannot be read is held by a JSON object of one key before the SDK
sees it, and whoever reads that key refuses the call: wherever it is resumed, and whoever wrote it.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from policy_engine.decision.wire import parse_json
from policy_engine.errors import RequestError

__all__ = ["as_readable", "read_arguments", "read_said", "write_arguments"]

_UNREAD: Final = "(arguments that could not be read)"


def read_arguments(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read a call's arguments; defaults that the tool's schema states are filled in.

    Raises:
        RequestError: It is not a JSON object, a key stands twice, or it holds what was none.
    """
    value = _object(text) if text.strip() else {}
    if _UNREAD in value:
        if isinstance(value[_UNREAD], str):
            _object(value[_UNREAD])
        raise RequestError(f'"{_UNREAD}" stands in them')
    properties = schema.get("properties")
    for name, stated in properties.items() if isinstance(properties, Mapping) else ():
        if name not in value and isinstance(stated, Mapping) and "default" in stated:
            value[name] = stated["default"]
    return value


def as_readable(text: str) -> str:
    """Return a call's arguments so that the SDK can read them; held, where they are refused."""
    try:
        if text.strip():
            _object(text)
    except RequestError:
        return write_arguments({_UNREAD: text})
    return text


def read_said(text: str) -> dict[str, Any] | None:
    """Read what a model tells with a handoff; None where it tells nothing.

    What is no JSON object is held by an object, so that it is judged all the same.
    """
    if not text.strip():
        return None
    try:
        value = parse_json(text)
    except RequestError:
        return {"input": text}
    found = value if isinstance(value, dict) else {"input": value}
    return found or None


def write_arguments(args: Mapping[str, Any]) -> str:
    """Write arguments as the tool reads them."""
    return json.dumps(args, ensure_ascii=False, allow_nan=False)


def _object(text: str) -> dict[str, Any]:
    value = parse_json(text)
    if not isinstance(value, dict):
        raise RequestError("the arguments are not a JSON object")
    return value
