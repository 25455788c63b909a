"""What a decision is counted under: names of the policies, never one that a model invented."""

from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.decision import Request

__all__ = ["Names"]

_MAX_KNOWN: Final = 10_000


class Names:
    """Names requests for the summary.

    Args:
        compiled: The policy set, whose entries say which names are shown.
    """

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._known: dict[tuple[str, str | None], str] = {}

    def of(self, request: Request) -> str:
        """Return the tool, handoff or model of a request, or its stage."""
        name = _name(request)
        key = (request.stage, name)
        shown = self._known.get(key)
        if shown is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            shown = self._known[key] = self._shown(request, name)
        return shown

    def _shown(self, request: Request, name: str | None) -> str:
        stage = request.stage
        noun = _NOUNS.get(stage)
        if noun is None:
            return stage
        if name is None or not self._is_named(request, name):
            name = "(named by no policy)"
        return f"{noun} {name}"

    def _is_named(self, request: Request, name: str) -> bool:
        stage = "model_request" if request.stage == "model_response" else request.stage
        signature = self._compiled.signature(stage, name)
        return any(isinstance(part, tuple) and isinstance(part[-1], str) for part in signature)


_NOUNS: Final = {
    "tool_call": "tool",
    "tool_result": "result of",
    "handoff": "handoff to",
    "model_request": "model",
    "model_response": "response of",
}


def _name(request: Request) -> str | None:
    match request.stage:
        case "tool_call" | "tool_result":
            return request.tool
        case "handoff":
            return request.target
        case "model_request" | "model_response":
            return request.model
        case _:
            return None
