"""Names that refer to something: tools, models and arguments."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policy_engine.compiler.meaning.places import PlacedRule, fault, rules_of
from policy_engine.compiler.names import globs_overlap, is_glob, matches_glob
from policy_engine.errors import Fault
from policy_engine.policy import LoadedPolicy, TopRule
from policy_engine.policy.words import choices, did_you_mean
from policy_engine.source import Path

__all__ = ["reference_faults"]


def reference_faults(policies: Sequence[LoadedPolicy]) -> Iterator[Fault]:
    """Find names that no entry of the set matches, and arguments that no entry declares."""
    tools = [name for loaded in policies for name in loaded.policy.tools or {}]
    models = [name for loaded in policies for name in loaded.policy.models or {}]
    for loaded in policies:
        for path, name in _named_tools(loaded):
            if not is_glob(name) and not _matched(name, tools):
                yield fault(
                    loaded, path, "PE011", f'no entry is for the tool "{name}"', _hint(name, tools)
                )
        for name in loaded.policy.prices:
            if models and not is_glob(name) and not _matched(name, models):
                message = f'no entry is for the model "{name}"'
                hint = _hint(name, models)
                yield loaded.document.fault(
                    ("prices", name), "PE011", message, hint=hint, on_key=True
                )
        for placed in rules_of(loaded.policy):
            yield from _arguments(loaded, placed, policies)


def _named_tools(loaded: LoadedPolicy) -> Iterator[tuple[Path, str]]:
    for i, rule in enumerate(loaded.policy.rules):
        for key, names in (("tools", rule.tools), ("except", rule.except_)):
            for position, name in enumerate(names or ()):
                yield ("rules", i, key, position), name
    for i, limit in enumerate(loaded.policy.limits):
        for position, name in enumerate(limit.tools or ()):
            yield ("limits", i, "tools", position), name


def _matched(name: str, entries: Iterable[str]) -> bool:
    return any(matches_glob(entry, name) for entry in entries)


def _hint(name: str, entries: Iterable[str]) -> str:
    known = sorted(set(entries))
    if not known:
        return "no policy of the set has such entries"
    return did_you_mean(name, known) or f"entries of the set: {choices(known)}"


def _arguments(
    loaded: LoadedPolicy, placed: PlacedRule, policies: Sequence[LoadedPolicy]
) -> Iterator[Fault]:
    """Find arguments of a rule that none of the tools it covers takes."""
    tool = placed.tool
    if tool is None or placed.about != "call":
        return
    top = placed.top
    covered = [placed.entry_args] if top is None else list(_covered(top, policies))
    if not covered or None in covered:
        return
    declared = {name for args in covered for name in args or {}}
    for name in tool.args or {}:
        if name not in declared:
            path = (*placed.path, "args", name)
            message, hint = _undeclared(name, declared, top)
            yield loaded.document.fault(path, "PE011", message, hint=hint, on_key=True)
    for i, read in enumerate(tool.in_ or ()):
        name = read.removeprefix("args.").split(".")[0]
        if read.startswith("args.") and name not in declared:
            message, hint = _undeclared(name, declared, top)
            yield fault(loaded, (*placed.path, "in", i), "PE011", message, hint)


def _undeclared(name: str, declared: set[str], top: TopRule | None) -> tuple[str, str]:
    whose = "the entry declares no" if top is None else "no tool that the rule covers has an"
    known = choices(sorted(declared)) or "none"
    hint = did_you_mean(name, declared) or f"declared: {known}"
    return f'{whose} argument "{name}"', hint


def _covered(rule: TopRule, policies: Sequence[LoadedPolicy]) -> Iterator[Mapping[str, Any] | None]:
    """Go through the arguments of the entries that grant something which a rule covers."""
    for loaded in policies:
        for name, entry in (loaded.policy.tools or {}).items():
            left_out = not is_glob(name) and _matched(name, rule.except_ or ())
            if entry.effect == "deny" or left_out:
                continue
            if any(globs_overlap(name, glob) for glob in rule.tools or ()):
                yield entry.args
