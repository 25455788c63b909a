"""A policy set that is wrong in one place, and how typed policies are changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

from policy_engine.cel.nodes import Node
from policy_engine.errors import Location
from policy_engine.policy import LoadedPolicy, Policy
from policy_engine.source import Path
from policy_engine.testing.mutation.conditions import ChangedCondition
from policy_engine.testing.mutation.wording import located

__all__ = ["Aim", "Mutant", "Site"]

Place: TypeAlias = Literal[
    "args", "facts", "context", "attrs", "prices", "tool", "agent", "text", "edited", "named",
    "only", "mixed", "people",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Aim:
    """What a request must hold for a mutant to be told apart."""

    place: Place
    name: str
    """The argument, fact, name, attribute, model or tool; for `people`, `roles` or `tenants`."""
    before: Any = None
    """The schema, glob or pattern; for `edited` and `mixed`, the schemas of the arguments."""
    after: Any = None
    """What that is in the mutant; for `named`, what its condition names."""
    paths: frozenset[tuple[str, ...]] = frozenset()
    """What a condition reads."""
    texts: tuple[str, ...] = ()
    """What tests hold."""


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
    aim: Aim | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A place of a policy that mutants are made at."""

    index: int
    loaded: LoadedPolicy
    path: Path
    name: str | None

    def mutant(
        self,
        path: Path,
        new: Any,
        what: str,
        *,
        at: Path | None = None,
        unit: Path | None = None,
        aim: Aim | None = None,
    ) -> Mutant:
        """Make a mutant in which something else stands at a place below this one."""
        policy = _put(self.loaded.policy, (*self.path, *path), new)
        return self._made(policy, self.path if unit is None else unit, what, at or (), aim)

    def without(self, path: Path, what: str, *, at: Path | None = None) -> Mutant:
        """Make a mutant in which something is gone."""
        policy = _dropped(self.loaded.policy, (*self.path, *path))
        return self._made(policy, self.path, what, path if at is None else at, None)

    def renamed(self, section: str, key: str, new: str, aim: Aim) -> Mutant:
        """Make a mutant in which an entry has another glob."""
        entries = {
            (new if name == key else name): entry
            for name, entry in getattr(self.loaded.policy, section).items()
        }
        policy = _put(self.loaded.policy, (section,), entries)
        found = self._made(policy, (), f'the glob "{key}" is "{new}"', (), aim)
        return replace(found, name=None)

    def with_condition(self, found: ChangedCondition, text: str, aim: Aim | None) -> Mutant:
        """Make a mutant in which a rule has another condition.

        Args:
            found: The condition.
            text: What the rule's own was read from.
            aim: What tells the two apart.
        """
        policy, unit = self.loaded.policy, self.path
        place = located(self.loaded.document, (*self.path, "when"), text, found.at)
        return Mutant(self.index, policy, unit, found.what, place, self.name, found.tree, aim)

    def _made(self, policy: Policy, unit: Path, what: str, at: Path, aim: Aim | None) -> Mutant:
        place = self.loaded.document.key_at((*self.path, *at))
        return Mutant(self.index, policy, unit, what, place, self.name, aim=aim)


def _put(value: Any, path: Path, new: Any) -> Any:
    """Return a value in which something else stands at a place."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, BaseModel):
        return value.model_copy(update={str(step): _put(getattr(value, str(step)), rest, new)})
    if isinstance(value, Mapping):
        return {**value, step: _put(value.get(step), rest, new)}
    at = int(step)
    changed = [*value[:at], _put(value[at], rest, new), *value[at + 1 :]]
    return tuple(changed) if isinstance(value, tuple) else changed


def _dropped(value: Any, path: Path) -> Any:
    """Return a value without what stands at a place."""
    holder: Any = value
    for step in path[:-1]:
        holder = getattr(holder, str(step)) if isinstance(holder, BaseModel) else holder[step]
    step = path[-1]
    if isinstance(holder, Mapping):
        return _put(value, path[:-1], {key: item for key, item in holder.items() if key != step})
    at = int(step)
    kept = [*holder[:at], *holder[at + 1 :]]
    return _put(value, path[:-1], tuple(kept) if isinstance(holder, tuple) else kept)
