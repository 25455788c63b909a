"""What could be said of a tool by its name alone: known before any call of it, and remembered."""

from typing import Final
from weakref import WeakKeyDictionary

from policy_engine.decision import Effect
from policy_engine.engine import Engine

__all__ = ["is_possible"]

_MOST_NAMES: Final = 4096
_EFFECTS: Final[WeakKeyDictionary[Engine, dict[tuple[str, str | None], frozenset[str]]]] = (
    WeakKeyDictionary()
)


def is_possible(engine: Engine, effect: Effect, name: str, agent: str | None) -> bool:
    """Whether anything that may speak of the calls of a tool has an effect.

    Args:
        engine: What decides about them.
        effect: The effect, enforced or observed.
        name: What policies call the tool.
        agent: Who would call it.
    """
    known = _EFFECTS.setdefault(engine, {})
    found = known.get((name, agent))
    if found is None:
        if len(known) >= _MOST_NAMES:
            known.clear()
        links = engine.explain("tool_call", name, agent)
        found = known[name, agent] = frozenset(link.effect for link in links)
    return effect in found
