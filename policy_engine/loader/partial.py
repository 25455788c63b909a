"""What remains of a policy without its faulty parts."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Final

from policy_engine.source import Path

__all__ = ["prune", "renamed", "sourced", "unit"]

_LISTS: Final = frozenset({"input", "output", "rules", "limits"})
_MAPPINGS: Final = frozenset(
    {"attrs", "context", "facts", "handoffs", "models", "prices", "tools", "vars"}
)


def unit(path: Path) -> Path:
    """Return the smallest part that a policy can do without and that holds a place."""
    section = path[0] if path else ""
    if section in {"tools", "handoffs"} and len(path) > 3 and isinstance(path[3], int):
        return path[:4]
    if section in _LISTS or section in _MAPPINGS:
        return path[:2]
    return path[:1]


def prune(data: dict[str, Any], cuts: Iterable[Path]) -> dict[str, Any]:
    """Copy a policy's data without some of its parts; a section left empty goes too."""
    pruned: dict[str, Any] = _pruned(data, [cut for cut in cuts if cut])
    return {
        key: value
        for key, value in pruned.items()
        if not (key in _MAPPINGS and value == {} and data[key] != {})
    }


def renamed(data: dict[str, Any], names: Mapping[Path, str]) -> dict[str, Any]:
    """Copy a policy's data with other names for some keys."""
    copied: dict[str, Any] = copy.deepcopy(data)
    for path in sorted(names, key=len, reverse=True):
        holder: Any = copied
        for step in path[:-1]:
            holder = holder[step]
        holder[names[path]] = holder.pop(path[-1])
    return copied


def sourced(data: dict[str, Any], places: Iterable[Path]) -> dict[str, Any]:
    """Copy a policy's data with a source for some facts, so that what reads them is no fault."""
    copied: dict[str, Any] = copy.deepcopy(data)
    for section, name, key in places:
        copied[str(section)][name][key] = "app:fact"
    return copied


def _pruned(value: Any, cuts: list[Path]) -> Any:
    if not cuts:
        return value
    below: dict[str | int, list[Path]] = {}
    for cut in cuts:
        below.setdefault(cut[0], []).append(cut[1:])
    if isinstance(value, dict):
        return {
            key: _pruned(item, below.get(key, []))
            for key, item in value.items()
            if () not in below.get(key, [])
        }
    if isinstance(value, list):
        return [
            _pruned(item, below.get(i, []))
            for i, item in enumerate(value)
            if () not in below.get(i, [])
        ]
    return value
