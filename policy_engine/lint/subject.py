"""What the rules of the linter look at: a policy set that loads, and the tools that there are."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from typing import Any, TypeVar

from policy_engine.compiler import Compiled, CompiledRule
from policy_engine.compiler.meaning.places import PlacedRule, rules_of
from policy_engine.compiler.names import (
    NameTable,
    globs_overlap,
    is_glob,
    matches_glob,
    matching,
)
from policy_engine.compiler.parts import Parts
from policy_engine.decision import Stage
from policy_engine.engine import Engine
from policy_engine.lint.together import applies_with
from policy_engine.lint.tool_schema import plain_tool
from policy_engine.policy import LoadedPolicy, ToolBlock
from policy_engine.source import Path
from policy_engine.tools import Tool

T = TypeVar("T")

__all__ = ["Entry", "Options", "PlacedCondition", "Subject", "named_by"]


@dataclass(frozen=True, slots=True)
class Options:
    """What the rules are told beside the policies."""

    roles: frozenset[str] = frozenset()
    """The roles that there are; empty where that is not known."""
    today: date = date(1970, 1, 1)
    """For what has an end."""
    reviewed: Mapping[str, Tool] | None = None
    """Name -> the tool as it was reviewed; None where that is not known."""
    proofs: bool = True
    """Whether calls are put together by reasoning; otherwise plain ones are tried."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry for tools, and where it stands."""

    policy: LoadedPolicy
    name: str
    """A tool's name, or a glob."""
    block: ToolBlock
    parts: Parts = field(repr=False)

    @property
    def path(self) -> Path:
        """Where it stands."""
        return ("tools", self.name)

    @property
    def rule(self) -> str:
        """What decisions call it."""
        return (
            f"{self.policy.policy.policy}/tools/{self.name.replace('~', '~0').replace('/', '~1')}"
        )


@dataclass(frozen=True, slots=True)
class PlacedCondition:
    """A rule as it was written and as it was compiled."""

    policy: LoadedPolicy
    placed: PlacedRule
    compiled: CompiledRule
    stage: Stage
    entry: Entry | None = None
    """The entry that it stands in."""

    @property
    def path(self) -> Path:
        """Where its expression stands."""
        return (*self.placed.path, "when")


class Subject:
    """A policy set that loads, and what is known beside it."""

    def __init__(
        self,
        compiled: Compiled,
        tools: Sequence[Tool] | None = None,
        options: Options | None = None,
    ) -> None:
        self.compiled = compiled
        self.policies = compiled.policies.policies
        self.tools: Mapping[str, Tool] | None = (
            None if tools is None else {tool.name: tool for tool in tools}
        )
        """Name -> tool; None where the tools are not known."""
        self.options = options or Options()

        self._kept: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], Iterable[T]]) -> tuple[T, ...]:
        """Return what several rules look at, made for the first that does."""
        found: tuple[T, ...] | None = self._kept.get(name)
        if found is None:
            found = self._kept[name] = tuple(make())
        return found

    @cached_property
    def plain_tools(self) -> Mapping[str, Tool]:
        """Name -> tool, the references of its schema followed; empty where they are not known."""
        return {name: plain_tool(tool) for name, tool in (self.tools or {}).items()}

    @cached_property
    def engine(self) -> Engine:
        """The engine, to see what a finding claims."""
        return Engine(self.compiled)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry for tools, in the order of the files."""
        return tuple(
            Entry(parts.loaded, name, block, parts)
            for parts in self.compiled.parts
            for name, block in (parts.loaded.policy.tools or {}).items()
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every tool that is known by its own name."""
        exact = [entry.name for entry in self.entries if not is_glob(entry.name)]
        return tuple(dict.fromkeys([*exact, *(self.tools or ())]))

    @cached_property
    def matched(self) -> Mapping[str, tuple[Entry, ...]]:
        """Tool -> the entries that match it."""
        globs = [entry for entry in self.entries if is_glob(entry.name)]
        exact: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if not is_glob(entry.name):
                exact.setdefault(entry.name, []).append(entry)
        return {
            name: (
                *exact.get(name, ()),
                *(entry for entry in globs if matches_glob(entry.name, name)),
            )
            for name in self.names
        }

    def entries_of(self, name: str) -> tuple[Entry, ...]:
        """Return the entries that match a tool."""
        found = self.matched.get(name)
        if found is None:
            return tuple(entry for entry in self.entries if matches_glob(entry.name, name))
        return found

    def entries_about(self, names: Iterable[str]) -> list[Entry]:
        """Return the entries that match a name which one of these names or globs matches."""
        found = {
            place for name in names for place in self.once(f"entries {name}", self._about(name))
        }
        return [self.entries[place] for place in sorted(found)]

    def _about(self, name: str) -> Callable[[], list[int]]:
        if not is_glob(name):
            return partial(self._by_name.of, name)
        return lambda: [i for i, e in enumerate(self.entries) if globs_overlap(e.name, name)]

    @cached_property
    def _by_name(self) -> NameTable:
        return NameTable((entry.name,) for entry in self.entries)

    @cached_property
    def conditions(self) -> tuple[PlacedCondition, ...]:
        """Every rule of the set."""
        return tuple(
            found
            for parts in self.compiled.parts
            for placed in rules_of(parts.loaded.policy)
            for found in self._compiled(parts, placed)
        )

    def _compiled(self, parts: Parts, placed: PlacedRule) -> Iterator[PlacedCondition]:
        section, index = placed.path[0], placed.path[-1]
        loaded = parts.loaded
        assert isinstance(index, int)  # noqa: S101 - a rule stands in a list
        if section in {"input", "output"}:
            stage: Stage = "input" if section == "input" else "output"
            yield PlacedCondition(loaded, placed, parts.text_rules[stage][index], stage)
        elif section == "rules":
            compiled = parts.top_rules[index]
            top = placed.top
            stage = "handoff" if top is not None and top.stage == "handoff" else "tool_call"
            yield PlacedCondition(loaded, placed, compiled, stage)
        elif section == "handoffs":
            compiled = parts.entry_rules["handoffs", str(placed.path[1])][index]
            yield PlacedCondition(loaded, placed, compiled, "handoff")
        else:
            name, kind = str(placed.path[1]), str(placed.path[2])
            compiled = parts.entry_rules["tools" if kind == "rules" else "result", name][index]
            stage = "tool_call" if kind == "rules" else "tool_result"
            block = (loaded.policy.tools or {})[name]
            entry = Entry(loaded, name, block, parts)
            yield PlacedCondition(loaded, placed, compiled, stage, entry)

    def covered(self, found: PlacedCondition) -> tuple[str, ...]:
        """Return tools that a rule is about: known ones, or one that its glob would match."""
        top = found.placed.top
        globs: tuple[str, ...] = () if top is None else top.tools or ()
        left_out: tuple[str, ...] = () if top is None else top.except_ or ()
        if found.entry is not None:
            globs = (found.entry.name,)
        names = self._covered.get((globs, left_out))
        if names is None:
            names = self._covered[globs, left_out] = self._cover(globs, left_out)
        return names

    def meet(self, one: PlacedCondition, other: PlacedCondition) -> bool:
        """Whether two rules are asked about the same calls, or texts."""
        if one.stage != other.stage:
            return False
        if one is other or one.stage in {"input", "output"}:
            return True
        return not set(self.covered(one)).isdisjoint(self.covered(other))

    def _cover(self, globs: tuple[str, ...], left_out: tuple[str, ...]) -> tuple[str, ...]:
        granted, invented = self._granted
        known = {glob for glob in globs if glob in granted}
        for glob in filter(is_glob, globs):
            known.update(self.once(f"granted {glob}", partial(matching, glob, granted)))
        named = sorted(known, key=granted.__getitem__)
        named.extend(name for name in invented if any(matches_glob(g, name) for g in globs))
        return tuple(
            name
            for name in dict.fromkeys(named)
            if not any(matches_glob(glob, name) for glob in left_out)
        )

    @cached_property
    def _granted(self) -> tuple[dict[str, int], list[str]]:
        """The known tools that an entry grants, in order, and a name for each glob that does."""
        granted = (
            name
            for name in self.names
            if any(entry.block.effect != "deny" for entry in self.entries_of(name))
        )
        invented = [
            named_by(entry.name)
            for entry in self.entries
            if is_glob(entry.name) and entry.block.effect != "deny"
        ]
        return {name: place for place, name in enumerate(granted)}, invented

    @cached_property
    def _by_tool(self) -> dict[str, tuple[PlacedCondition, ...]]:
        found: dict[str, list[PlacedCondition]] = {}
        for one in self.conditions:
            if one.stage == "tool_call":
                for name in self.covered(one):
                    found.setdefault(name, []).append(one)
        return {name: tuple(rules) for name, rules in found.items()}

    def rules_of(self, name: str) -> tuple[PlacedCondition, ...]:
        """Return the rules about calls of a tool."""
        return self._by_tool.get(name, ())

    @cached_property
    def _covered(self) -> dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[str, ...]]:
        return {}

    def args_of(self, name: str, policy: LoadedPolicy) -> dict[str, list[Any]] | None:
        """Return what is declared of each argument of a tool where a policy applies.

        None where any arguments are taken.
        """
        declared = [
            entry.block.args
            for entry in self.entries_of(name)
            if applies_with(entry.policy, policy)
        ]
        known = [args for args in declared if args is not None]
        if not known:
            return None
        merged: dict[str, list[Any]] = {}
        for args in known:
            for argument, schema in args.items():
                merged.setdefault(argument, []).append(schema)
        return merged


def named_by(glob: str, filling: str = "x") -> str:
    """Return a name that a glob matches."""
    return glob.replace("*", filling).replace("?", "x")
