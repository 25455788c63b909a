"""What other interfaces call the fields of a request, and how they are written here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

__all__ = ["written"]

_TOOL: Final = "tool: …"
_ARGUMENTS: Final = "args: {…}"
_TEXT: Final = "stage: input, text: …"
_ANSWER: Final = "stage: output, text: …"
_RESULT: Final = "stage: tool_result, result: …"
_ROLES: Final = "principal: {roles: […]}"
_USER: Final = "principal: {id: …}"
_MISNOMERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("arguments", "kwargs", "parameters", "params", "tool_input"), _ARGUMENTS),
        **dict.fromkeys(("call", "function", "tool_name"), _TOOL),
        **dict.fromkeys(("input", "prompt", "user_input"), _TEXT),
        **dict.fromkeys(("answer", "completion", "output", "response"), _ANSWER),
        **dict.fromkeys(("hand_off", "handoff"), "stage: handoff, target: …"),
        **dict.fromkeys(("time", "timestamp"), "now: …"),
        **dict.fromkeys(("role", "roles"), _ROLES),
        **dict.fromkeys(("user", "user_id"), _USER),
        **{key: f"principal: {{{key}: …}}" for key in ("attrs", "tenant")},
    }
)
"""Key -> the fields that say the same."""
_OF_A_CALL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "input": _ARGUMENTS,
        "name": _TOOL,
        **dict.fromkeys(("answer", "output", "response"), _RESULT),
    }
)
"""As above, where the request is about a tool."""
_CALLING: Final = frozenset(
    {"args", "tool", *(key for key, form in _MISNOMERS.items() if form in (_ARGUMENTS, _TOOL))}
)
"""Keys of a request that is about a tool."""


def written(key: object, request: Mapping[str, Any]) -> str | None:
    """Return the fields that are probably meant by a key that no request has, as YAML has them.

    Args:
        key: A key of the request.
        request: The request that has it.
    """
    if not isinstance(key, str):
        return None
    of_a_call = any(name in _CALLING for name in request)
    return (_OF_A_CALL.get(key) if of_a_call else None) or _MISNOMERS.get(key)
