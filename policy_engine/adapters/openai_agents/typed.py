"""Outputs of a type: what a policy does to them must leave them of that type, or end the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from agents import Agent, AgentOutputSchemaBase, ItemHelpers

from policy_engine.adapters.openai_agents.judge import foresee, refuse
from policy_engine.adapters.openai_agents.scope import about
from policy_engine.decision import Decision
from policy_engine.guard import Denied, Guard, GuardSession

__all__ = ["is_typed", "last_text", "misfit", "unfit"]

_MISFIT: Final = "Parts of this would have to be redacted, and it would not fit its output type."
_REMEDY: Final = (
    '{rule}: what it puts in place does not fit the output type "{type}": give it a replacement '
    "that fits, or let it deny"
)
_CALLS: Final = ("_call", "_request")


def is_typed(agent: Agent[Any] | None) -> bool:
    """Whether an application was promised something else than a text."""
    kind = None if agent is None else agent.output_type
    if isinstance(kind, AgentOutputSchemaBase):
        return not kind.is_plain_text()
    return kind is not None and kind is not str


def last_text(items: Sequence[Any]) -> str | None:
    """Return what may be a final output in a response; None where it says nothing."""
    messages = [item for item in items if getattr(item, "type", "") == "message"]
    return ItemHelpers.extract_text(messages[-1]) if messages else None


def _fits(schema: AgentOutputSchemaBase, text: str) -> bool:
    """Whether a text is of an output type."""
    try:
        schema.validate_json(text)
    except Exception:  # noqa: BLE001 - a schema of the application's may raise anything
        return False
    return True


async def misfit(
    guard: Guard,
    session: GuardSession,
    model: str,
    schema: AgentOutputSchemaBase,
    said: tuple[Sequence[Any], Sequence[Any]],
) -> Denied | None:
    """Return a denial where redaction made an output unfit that was of its type.

    Args:
        guard: Whom to ask which rules spoke.
        session: Whose output it is.
        model: Who said it.
        schema: What it has to fit.
        said: The items of the response, as they were said and as they are permitted.
    """
    before, after = map(last_text, said)
    if not before or before == after or _calls(said[0]):
        return None
    if not _fits(schema, before) or _fits(schema, after or ""):
        return None
    request = about(session, "model_response", model=model, text=before)
    return await unfit(guard, session, await foresee(guard, session, request), schema.name())


async def unfit(guard: Guard, session: GuardSession, decision: Decision, kind: str) -> Denied:
    """Record a denial of what could not be redacted and stay of its type; return what to raise.

    Args:
        guard: Who records it.
        session: Whose output it is.
        decision: By which parts of it would be redacted.
        kind: What the type is called.
    """
    await refuse(guard, session, decision.asked, "redaction.cannot_tell", _MISFIT)
    rules = [one.rule for one in decision.reasons if one.enforced and one.effect == "redact"]
    denied = Denied(decision.denied("redaction.cannot_tell", _MISFIT))
    for rule in dict.fromkeys(rules):
        denied.add_note(_REMEDY.format(rule=rule, type=kind))
    return denied


def _calls(items: Iterable[Any]) -> bool:
    """Whether a response makes calls, and so is no output."""
    return any(str(getattr(item, "type", "")).endswith(_CALLS) for item in items)
