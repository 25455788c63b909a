"""What a rule across tools covers, and the arguments that are declared there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from policy_engine.compiler.names import globs_overlap, is_glob, matches_glob, matching
from policy_engine.policy import LoadedPolicy, ToolBlock

__all__ = ["Covered", "Entries"]

Covered: TypeAlias = Mapping[str, Any] | None
"""The arguments that a covered name declares; None where any arguments are taken."""


class Entries:
    """The tool entries of a policy set, found by name.

    An exact name is covered once, with what all entries that match it declare, because all of
    them hold together; a glob entry stands for the names that nobody wrote down.
    """

    def __init__(self, policies: Iterable[LoadedPolicy]) -> None:
        self._exact: dict[str, list[ToolBlock]] = {}
        self._globs: list[tuple[str, ToolBlock]] = []
        for loaded in policies:
            for name, entry in (loaded.policy.tools or {}).items():
                if is_glob(name):
                    self._globs.append((name, entry))
                else:
                    self._exact.setdefault(name, []).append(entry)
        self._declared: dict[str, list[Covered]] = {}
        self._found: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Covered]] = {}
        self._matching: dict[str, list[str]] = {}

    def covered(self, globs: Sequence[str], excluded: Sequence[str] = ()) -> list[Covered]:
        """Return the arguments of everything that is granted and that the rule covers."""
        key = (tuple(globs), tuple(excluded))
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._cover(*key)
        return found

    def all_declared(self) -> Covered:
        """Return every argument that any entry declares, as if one tool had them all."""
        merged: dict[str, Any] = {}
        for covered in self.covered(("*",)):
            for name, schema in (covered or {}).items():
                agrees = name not in merged or merged[name] == schema
                merged[name] = schema if agrees else {}
        return {name: _present(schema) for name, schema in merged.items()}

    def _cover(self, globs: tuple[str, ...], excluded: tuple[str, ...]) -> list[Covered]:
        wide = [glob for glob in globs if is_glob(glob)]
        names = {glob for glob in globs if not is_glob(glob)}
        for glob in wide:
            if glob not in self._matching:
                self._matching[glob] = matching(glob, self._exact)
            names.update(self._matching[glob])
        found = [
            covered
            for name in sorted(names)
            if not any(matches_glob(glob, name) for glob in excluded)
            for covered in self._of(name)
        ]
        found.extend(
            entry.args
            for key, entry in self._globs
            if entry.effect != "deny" and any(globs_overlap(key, glob) for glob in wide)
        )
        return found

    def _of(self, name: str) -> list[Covered]:
        """Return what a name declares: one mapping, or nothing where every entry denies it."""
        declared = self._declared.get(name)
        if declared is None:
            matching = [*self._exact.get(name, ())]
            matching.extend(entry for glob, entry in self._globs if matches_glob(glob, name))
            granted = any(entry.effect != "deny" for entry in matching)
            declared = [_together(entry.args for entry in matching)] if granted else []
            self._declared[name] = declared
        return declared


def _together(declared: Iterable[Covered]) -> Covered:
    """Merge what several entries declare for one tool; schemas that differ say nothing."""
    merged: dict[str, Any] | None = None
    for args in declared:
        if args is None:
            continue
        merged = {} if merged is None else merged
        for name, schema in args.items():
            agrees = name not in merged or _kind(merged[name]) == _kind(schema)
            merged[name] = schema if agrees else {}
    return merged


def _kind(schema: Any) -> object:
    return schema.get("type") if isinstance(schema, Mapping) else schema


def _present(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    return {key: value for key, value in schema.items() if key != "optional"}
