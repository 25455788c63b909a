"""Names that refer to something: tools, models and arguments."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policy_engine.compiler.meaning.places import PlacedRule, fault, rules_of
from policy_engine.compiler.names import NameIndex, is_glob
from policy_engine.errors import Fault
from policy_engine.policy import LoadedPolicy, TopRule
from policy_engine.policy.words import choices, did_you_mean
from policy_engine.source import Path

__all__ = ["reference_faults"]


def reference_faults(policies: Sequence[LoadedPolicy]) -> Iterator[Fault]:
    """Find names that no entry of the set matches, and arguments that no entry declares."""
    tools = NameIndex(name for loaded in policies for name in loaded.policy.tools or {})
    models = NameIndex(name for loaded in policies for name in loaded.policy.models or {})
    declared = [NameIndex(loaded.policy.tools or {}) for loaded in policies]
    for loaded in policies:
        for path, name in _named_tools(loaded):
            if not is_glob(name) and not tools.matches(name):
                message = f'no entry is for the tool "{name}"'
                yield fault(loaded, path, "PE011", message, _hint(name, tools))
        for name in loaded.policy.prices:
            if any(models) and not is_glob(name) and not models.matches(name):
                message = f'no entry is for the model "{name}"'
                hint = _hint(name, models)
                yield loaded.document.fault(
                    ("prices", name), "PE011", message, hint=hint, on_key=True
                )
        for placed in rules_of(loaded.policy):
            tool = placed.tool
            if tool is not None and placed.about == "call" and (tool.args or tool.in_):
                covered = _covered(placed, zip(policies, declared, strict=True))
                yield from _arguments(loaded, placed, list(covered))


def _named_tools(loaded: LoadedPolicy) -> Iterator[tuple[Path, str]]:
    for i, rule in enumerate(loaded.policy.rules):
        for key, names in (("tools", rule.tools), ("except", rule.except_)):
            for position, name in enumerate(names or ()):
                yield ("rules", i, key, position), name
    for i, limit in enumerate(loaded.policy.limits):
        for position, name in enumerate(limit.tools or ()):
            yield ("limits", i, "tools", position), name


def _hint(name: str, entries: Iterable[str]) -> str:
    known = sorted(set(entries))
    if not known:
        return "no policy of the set has such entries"
    return did_you_mean(name, known) or f"entries of the set: {choices(known)}"


def _arguments(
    loaded: LoadedPolicy, placed: PlacedRule, covered: Sequence[Mapping[str, Any] | None]
) -> Iterator[Fault]:
    """Find arguments of a rule that none of the tools it covers takes."""
    tool, top = placed.tool, placed.top
    if tool is None or not covered or None in covered:
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


def _covered(
    placed: PlacedRule, policies: Iterable[tuple[LoadedPolicy, NameIndex]]
) -> Iterator[Mapping[str, Any] | None]:
    """Go through the arguments of the entries that grant something which a rule covers."""
    rule = placed.top
    if rule is None:
        yield placed.entry_args
        return
    left_out = NameIndex(rule.except_ or ())
    for loaded, index in policies:
        entries = loaded.policy.tools or {}
        for name in {found for glob in rule.tools or () for found in index.overlapping(glob)}:
            if entries[name].effect != "deny" and (is_glob(name) or not left_out.matches(name)):
                yield entries[name].args
