"""Notices before a model is called that it is none of ours: by what the SDK reads of an agent.

Theory of operation. A configuration of the SDK's own may name a model for the whole run, which
takes the place of the guarded one, and no callback is told of it before the model is called. But
the SDK asks an agent for its model only where the configuration names none, and then for its
settings, before the hook of the agent that comes right before the call. So the agent notes what
the SDK reads of it, and the hook refuses the call where the model was not asked for. What others
read, such as a function that makes instructions, counts for nothing.
"""

from __future__ import annotations

import sys
from typing import Any, Final
from weakref import WeakKeyDictionary

from policy_engine.adapters.openai_agents.errors import Gap, UnmediatedError
from policy_engine.adapters.openai_agents.model import GuardedModel
from policy_engine.adapters.openai_agents.scope import TURN, here
from policy_engine.guard import Guard

__all__ = ["Noticed", "refuse_foreign"]

_SDK: Final = "agents"
_WHY: Final = (
    "was not asked for: the run's configuration names a model of its own, so make it with "
    "run_config(guard, model=…)"
)


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
        turn = TURN.get()
        if turn is not None and turn.agent is agent and not turn.is_settled:
            reader = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 - who reads it
            if reader.split(".", 1)[0] == _SDK:
                turn.note_read(self._name)
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
    scope, turn = here(guard), TURN.get()
    if scope is not None and scope.model is not None:
        is_ours = isinstance(scope.model, GuardedModel) and scope.model.guard is guard
    else:
        is_ours = turn is not None and turn.agent is agent and turn.uses_own_model
    if not is_ours:
        raise UnmediatedError([Gap(agent.name, "model", _WHY)])
