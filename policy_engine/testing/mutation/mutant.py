"""A policy set that is wrong in one place, and how typed policies are changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from policy_engine.cel.nodes import Node
from policy_engine.errors import Location
from policy_engine.policy import Policy
from policy_engine.source import Path

__all__ = ["Mutant", "dropped", "put"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One way in which a policy could be weaker, or otherwise wrong."""

    index: int
    """Which policy of the set."""
    policy: Policy
    """What stands in its place."""
    unit: Path
    """What has to be compiled anew, as `Variants.make` takes it."""
    what: str
    """What was changed, as a clause: `the bound 500 is 501`."""
    location: Location
    name: str | None
    """The name under which what was changed speaks; None where it may be any."""
    tree: Node | None = None
    """The condition of the rule, where only that is different."""


def put(value: Any, path: Path, new: Any) -> Any:
    """Return a value in which something else stands at a place."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, BaseModel):
        return value.model_copy(update={str(step): put(getattr(value, str(step)), rest, new)})
    if isinstance(value, Mapping):
        return {**value, step: put(value.get(step), rest, new)}
    at = int(step)
    changed = [*value[:at], put(value[at], rest, new), *value[at + 1 :]]
    return tuple(changed) if isinstance(value, tuple) else changed


def dropped(value: Any, path: Path) -> Any:
    """Return a value without what stands at a place."""
    holder: Any = value
    for step in path[:-1]:
        holder = getattr(holder, str(step)) if isinstance(holder, BaseModel) else holder[step]
    step = path[-1]
    if isinstance(holder, Mapping):
        return put(value, path[:-1], {key: item for key, item in holder.items() if key != step})
    at = int(step)
    kept = [*holder[:at], *holder[at + 1 :]]
    return put(value, path[:-1], tuple(kept) if isinstance(holder, tuple) else kept)
