"""Whether something can be unable to tell: odd requests that a test could send."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from policy_engine.compiler import CompiledLimit
from policy_engine.decision import NO_FACTS, Facts, Request, Stage

__all__ = ["key_can_lack", "odd_requests"]

_NOW: Final = Facts(now=datetime(2026, 1, 5, 10, tzinfo=UTC))
_WRONG: Final = {"unlike": {"anything": [1]}}
_PICTURE: Final = {"type": "image", "source": {"type": "base64", "data": "AAAA"}}


def odd_requests(
    stage: Stage, reads: frozenset[tuple[str, ...]]
) -> Iterator[tuple[Request, Facts]]:
    """Yield requests of a stage that lack things or hold things of the wrong type."""
    arguments = {read[1] for read in reads if read[0] == "args" and len(read) > 1}
    answers = {read[1]: _WRONG for read in reads if read[0] == "facts" and len(read) > 1}
    for args in ({}, dict.fromkeys(arguments, _WRONG), {"picture": _PICTURE}):
        for facts in (_NOW, Facts(now=_NOW.now, answers=answers)):
            yield _request(stage, args), facts


def _request(stage: Stage, args: dict[str, Any]) -> Request:
    match stage:
        case "tool_call":
            return Request(stage=stage, tool="tool", args=args)
        case "tool_result":
            return Request(stage=stage, tool="tool", args=args, result=[_PICTURE])
        case "handoff":
            return Request(stage=stage, target="target")
        case "model_request" | "model_response":
            return Request(stage=stage, model="model", text=[_PICTURE])
        case _:
            return Request(stage=stage, text=[_PICTURE])


def key_can_lack(limit: CompiledLimit) -> bool:
    """Tell whether a request may lack what a limit counts by, or how much it counts."""
    bare = Request(stage="tool_call", tool="tool", args={}, target="target", model="model")
    return limit.need(bare, NO_FACTS) is None or limit.unit != "calls"
