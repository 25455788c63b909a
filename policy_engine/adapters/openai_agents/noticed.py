"""Notices before a model is called that it is none of ours: by what the SDK reads of an agent.

Theory of operation. A configuration of the SDK's own may name a model for the whole run, which
takes the place of the guarded one, and no callback is told of it before the model is called. But
the SDK asks an agent for its model only where the configuration names none, and then for its
settings, before the hook of the agent that comes right before the call. So the agent notes what
the SDK reads of it, and the hook refuses the call where the model was not asked for. What others
read, such as a function that makes instructions, counts for nothing.
"""

from __future__ import annotations

import contextvars
import sys
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError
from policy_engine.adapters.openai_agents.model import GuardedModel
from policy_engine.adapters.openai_agents.scope import TURN, Turn, here
from policy_engine.guard import Guard

__all__ = ["Noticed", "refuse_foreign"]

_SDK: Final = "agents.run"
"""Begins the names of the SDK's modules that run agents."""
_MOST: Final = 8
_ENDED: Final = "the run ends here"
_WHY: Final = (
    "was not asked for: the run's configuration names a model of its own, so make it with "
    "run_config(guard, model=…)"
)


@dataclass(slots=True)
class _Note:
    """What the SDK has read of an agent in one turn."""

    agent: Any
    turn: Turn | None
    """The turn that was under way; where a filter ran agents, it may be one of theirs."""
    has_model: bool = False
    """Whether it asked for the model."""
    is_settled: bool = False
    """Whether it asked for the settings, which it does after it asked for the model."""


_NOTES: Final[contextvars.ContextVar[tuple[_Note, ...]]] = contextvars.ContextVar(
    "policy_engine_openai_agents_notes", default=()
)
"""The latest note of each agent that runs in this task, the last one first."""


class Noticed:
    """A field of an agent that notes when the SDK reads it.

    Args:
        name: The field: `model` or `model_settings`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._owns: WeakKeyDictionary[type[Any], Any] = WeakKeyDictionary()

    def __get__(self, agent: Any, kind: type[Any] | None = None) -> Any:
        """Return the field's value."""
        if agent is None:
            return self
        note, turn = _note_of(agent), TURN.get()
        if note is None or note.turn is not turn or not note.is_settled:
            reader = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 - who reads it
            if reader.startswith(_SDK):
                self._note(agent, note, turn)
        own = self._own(type(agent))
        if own is not None:
            return own.__get__(agent, kind)
        try:
            return vars(agent)[self._name]
        except KeyError:
            raise AttributeError(self._name) from None

    def __set__(self, agent: Any, value: Any) -> None:
        """Set the field."""
        own = self._own(type(agent))
        if own is not None:
            own.__set__(agent, value)
        else:
            vars(agent)[self._name] = value

    def _note(self, agent: Any, note: _Note | None, turn: Turn | None) -> None:
        if note is None or note.turn is not turn:
            note = _Note(agent, turn)
            others = (other for other in _NOTES.get() if other.agent is not agent)
            _NOTES.set((note, *others)[:_MOST])
        if self._name == "model":
            note.has_model = True
        else:
            note.is_settled = True

    def _own(self, kind: type[Any]) -> Any:
        """Return what the agent's own class has in place of a field: a property, a slot."""
        try:
            return self._owns[kind]
        except KeyError:
            pass
        found = [vars(each).get(self._name) for each in kind.__mro__]
        members = (one for one in found if one is not self and hasattr(type(one), "__set__"))
        own = self._owns[kind] = next(members, None)
        return own


def refuse_foreign(agent: Any, guard: Guard) -> None:
    """Refuse to go on where another model than the guarded one is about to be called.

    Raises:
        UnmediatedError: The run's configuration names it.
    """
    scope, note = here(guard), _note_of(agent)
    if scope is not None and scope.model is not None:
        is_ours = isinstance(scope.model, GuardedModel) and scope.model.guard is guard
    else:
        is_ours = note is not None and note.has_model
    if not is_ours:
        raise UnmediatedError([Gap(agent.name, "model", _WHY)], _ENDED)


def _note_of(agent: Any) -> _Note | None:
    return next((note for note in _NOTES.get() if note.agent is agent), None)
