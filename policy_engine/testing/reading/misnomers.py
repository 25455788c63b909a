"""What people call the parts of a test, and how they are written: hints for unknown keys."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from policy_engine.decision.misnomers import written
from policy_engine.policy.words import quoted
from policy_engine.testing.reading.names import Names

__all__ = [
    "EFFECT_MEANT",
    "OF_EXPECTATIONS",
    "OF_PEOPLE",
    "OF_TESTS",
    "hints_of_request",
]

_APPROVAL: Final = ("approval", "approve", "ask", "confirm", "escalate", "review")
EFFECT_MEANT: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("accept", "allowed", "grant", "ok", "pass", "permit"), "allow"),
        **dict.fromkeys(("permitted",), "allow"),
        **dict.fromkeys(("block", "blocked", "denied", "forbid", "refuse", "reject"), "deny"),
        **dict.fromkeys(("mask", "masked", "redacted"), "redact"),
        **dict.fromkeys((*_APPROVAL, "needs_approval", "pending"), "require_approval"),
    }
)
"""What others call an effect -> the effect."""

_EFFECT: Final = "write `effect: …`"
OF_EXPECTATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("action", "decision", "outcome", "status", "then", "verdict"), _EFFECT),
        **dict.fromkeys(("allow", "allowed"), "write `effect: allow`, or the effect expected"),
        **dict.fromkeys(("denied", "deny"), "write `effect: deny`, or the effect expected"),
        **dict.fromkeys(("permit", "permitted"), "write `effect: allow` or `effect: deny`"),
        "reason": "write `message: …`",
        "reasons": "write `rules: […]`",
        **dict.fromkeys(("output", "redacted"), "write `text: …`, `args: …` or `result: …`"),
        **dict.fromkeys(("approvers", "expires", "quorum"), "write `approvals: {RULE: {…}}`"),
    }
)
"""Keys that are looked for in `expect` -> what to write instead."""

_REQUEST: Final = "write `request: {…}`"
_EXPECT: Final = "write `expect: {effect: …}`"
OF_TESTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("call", "given", "when"), _REQUEST),
        **dict.fromkeys(("args", "arguments", "tool"), "write `request: {tool: …, args: {…}}`"),
        **dict.fromkeys(("input", "prompt"), "write `request: {stage: input, text: …}`"),
        "output": "write `request: {stage: output, text: …}`",
        **dict.fromkeys(("assert", "decision", "effect", "outcome", "then", "want"), _EXPECT),
        **dict.fromkeys(("case", "id", "test", "title"), "write `name: …`"),
    }
)
"""Keys that are looked for in a test -> what to write instead."""

OF_PEOPLE: Final[Mapping[str, str]] = MappingProxyType(
    {key: f"write `principal: {{{key}: …}}`" for key in ("id", "roles", "tenant", "attrs")}
)
"""Keys that are looked for among the defaults of requests -> what to write instead."""


def hints_of_request(
    request: object, names: Names, elsewhere: Mapping[str, str]
) -> Mapping[str, str]:
    """Return what to do about keys that a request does not have.

    Args:
        request: What stands in its place.
        names: What the policies declare: a name of theirs has its place in the request.
        elsewhere: Keys that stand beside a request.
    """
    if not isinstance(request, dict):
        return elsewhere
    tool = request.get("tool")
    arguments = names.declared(tool) if isinstance(tool, str) else ()
    given = request.get("args")
    hints = dict(elsewhere)
    for key in request:
        form: str | None
        if not isinstance(key, str) or key in elsewhere:
            continue
        if key in arguments and not (isinstance(given, Mapping) and key in given):
            hints[key] = f"it is an argument of {quoted(tool)}: write `args: {{{key}: …}}`"
        elif (form := _declared(key, names) or written(key, request)) is not None:
            hints[key] = f"write `{form}`"
    return hints


def _declared(key: str, names: Names) -> str | None:
    """Return how a name is written that policies declare; None if none does."""
    places: dict[str, Mapping[str, Any]] = dict(names.declared_values)
    for place, form in _PLACES.items():
        if key in places[place]:
            return form.replace("NAME", key)
    return None


_PLACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "context": "context: {NAME: …}",
        "facts": "facts: {NAME: …}",
        "attrs": "principal: {attrs: {NAME: …}}",
    }
)
"""What policies declare -> where a request has it."""
