"""What SDK sessions and paused runs hand back: runs wrote it, and it is not judged again.

Theory of operation. Words of models, calls and results of tools were judged when they were said,
perhaps in another process. What an SDK session hands to a run as its history, and what stands in
a paused run to which `apply_approvals` carries answers, was written by such runs, so it is known
by its words like anything that was said here. What users say is not: it is redacted wherever it
stands. Nor are tools of the provider's that a search brought, because they change what a model
may do. What was given by hand to a run without an SDK session stays so while the run is paused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from agents import RunState, UserError

from policy_engine.adapters.openai_agents.nested import history_items
from policy_engine.adapters.openai_agents.said import OLD, keys_of, note_said
from policy_engine.adapters.openai_agents.texts import said_by_user
from policy_engine.adapters.openai_agents.unjudged import with_known_tools
from policy_engine.guard import Guard, GuardSession

__all__ = ["note_paused", "old_items"]

_IN_SESSION: Final = ("current_turn_persisted_item_count", "pending_session_write")
"""Fields of a written run that say something where it has an SDK session."""


def old_items(guard: Guard, session: GuardSession, items: Iterable[Any]) -> Iterator[Any]:
    """Go through what is old in a history: all but what users say, and tools of the provider's."""
    for item in items:
        if not isinstance(item, Mapping):
            continue
        nested = history_items(item)
        for one in [item] if nested is None else nested:
            if said_by_user(one) is None and with_known_tools(guard, session, one) is one:
                yield one


def note_paused(guard: Guard, session: GuardSession, state: RunState[Any, Any]) -> None:
    """Remember what runs wrote into a state, which is about to be resumed.

    Args:
        guard: Whose runs.
        session: Who asks.
        state: The paused run; one that the SDK cannot write down is read as made by hand.
    """
    with contextlib.suppress(UserError):
        written = state.to_json(context_serializer=lambda _: {})
        found = list(old_items(guard, session, _written(written)))
        OLD.set(keys_of(guard, session, found))
        for item in found:
            note_said(guard, session, item)


def _written(state: Mapping[str, Any]) -> Iterator[Any]:
    """Go through what runs wrote into a state, and into those of agents behind tools."""
    given = state.get("original_input")
    if isinstance(given, list) and any(state.get(name) for name in _IN_SESSION):
        yield from given
    answered = state.get("last_processed_response") or {}
    for items in (state.get("generated_items"), state.get("session_items")):
        yield from (item.get("raw_item") for item in items or ())
    yield from (item.get("raw_item") for item in answered.get("new_items") or ())
    for call in answered.get("functions") or ():
        inner = call.get("agent_run_state")
        if isinstance(inner, Mapping):
            yield from _written(inner)
