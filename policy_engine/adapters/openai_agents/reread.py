"""Ask about a value once more as it reads where its texts are decoded; what that finds counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, Final, TypeAlias

from policy_engine.adapters.openai_agents.judge import enforce, foresee
from policy_engine.adapters.openai_agents.readings import Reading, reading_as_json, readings
from policy_engine.decision import Decision, Request
from policy_engine.guard import Denied, Guard, GuardSession
from policy_engine.text.redact import Redaction

__all__ = ["Ask", "found_in_readings", "packed", "refuse_packed"]

Ask: TypeAlias = Callable[[Guard, GuardSession, Request], Awaitable[Decision]]
"""`enforce` or `foresee`."""

_OF_FORM: Final = "check.json."
"""Begins the codes of what is wrong with the form of JSON: a reading is no JSON."""
_OF_MEANING: Final = frozenset({"args.check"})
"""Codes about an argument that hold for whatever it means, and not for how it is written."""
_PACKED: Final = "What is packed into this argument would be treated otherwise: write it plainly."


async def found_in_readings(
    guard: Guard, session: GuardSession, made: Callable[[Any], Request], value: Any, ask: Ask
) -> tuple[Decision | None, list[Redaction]]:
    """Ask about each reading of a value that a rule speaks of.

    Args:
        guard: Whom to ask.
        session: Who asks.
        made: Makes the request about a value.
        value: What is read.
        ask: Records what a rule speaks of, or foresees it.

    Returns:
        The decision by which a reading is not permitted; else None, and what is to be replaced
        in the value.

    Raises:
        Denied: A reading is not permitted, and was not only foreseen.
    """
    found: list[Redaction] = []
    for reading in readings(value):
        decided = await _foreseen(guard, session, made, value, reading)
        if decided is None:
            continue
        request, read = decided
        decision = await ask(guard, session, request)
        if not decision.permitted:
            return decision, []
        found += read.placed(decision.redactions)
    return None, found


async def _foreseen(
    guard: Guard,
    session: GuardSession,
    made: Callable[[Any], Request],
    value: Any,
    reading: Reading,
) -> tuple[Request, Reading] | None:
    """Return the request to ask about, and the reading that it is about; None for none."""
    request = made(reading.value)
    decision = await foresee(guard, session, request)
    if any(reason.enforced and reason.code.startswith(_OF_FORM) for reason in decision.reasons):
        reading = reading_as_json(value)
        request = made(reading.value)
        decision = await foresee(guard, session, request)
    return None if decision.effect == "allow" else (request, reading)


async def packed(guard: Guard, session: GuardSession, request: Request) -> Decision | None:
    """Foresee what is said of a call once JSON in its arguments is decoded; None for nothing more.

    What the arguments have to look like is said of them as they stand.
    """
    known: set[tuple[str, str]] | None = None
    for reading in readings(request.args, of_json=True):
        decision = await foresee(guard, session, replace(request, args=reading.value))
        if decision.effect == "allow":
            continue
        if known is None:
            known = set(_speaking(await foresee(guard, session, request)))
        if not known.issuperset(_speaking(decision)):
            return decision
    return None


async def refuse_packed(guard: Guard, session: GuardSession, request: Request) -> None:
    """Refuse a call one of whose arguments is JSON that a rule speaks of once it is decoded.

    Raises:
        Denied: The call has to be written plainly.
    """
    decision = await packed(guard, session, request)
    if decision is None:
        return
    if decision.effect == "deny":
        # On record as it is.
        guard.release(await enforce(guard, session, decision.request))
    raise Denied(decision.denied("redaction.cannot_tell", _PACKED))


def _speaking(decision: Decision) -> Iterable[tuple[str, str]]:
    for reason in decision.reasons:
        code = reason.code
        is_of_form = code.startswith(_OF_FORM) or (
            code.startswith("args.") and code not in _OF_MEANING
        )
        if reason.enforced and reason.effect != "allow" and not is_of_form:
            yield reason.rule, code
