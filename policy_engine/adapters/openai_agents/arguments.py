"""The final arguments of a call: parsed once, completed, and handed on as they were judged."""

import json
from collections.abc import Mapping
from typing import Any

from policy_engine.decision.wire import parse_json
from policy_engine.errors import RequestError

__all__ = ["read_arguments", "read_said", "write_arguments"]


def read_arguments(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read a call's arguments; defaults that the tool's schema states are filled in.

    Raises:
        RequestError: It is not a JSON object, or a key stands twice.
    """
    value = parse_json(text) if text.strip() else {}
    if not isinstance(value, dict):
        raise RequestError("the arguments are not a JSON object")
    properties = schema.get("properties")
    for name, stated in properties.items() if isinstance(properties, Mapping) else ():
        if name not in value and isinstance(stated, Mapping) and "default" in stated:
            value[name] = stated["default"]
    return value


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
