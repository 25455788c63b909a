"""Ids that stand once, and names that cannot be taken for one another."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from policy_engine.compiler.meaning.places import fault, rules_of
from policy_engine.errors import Fault, Location
from policy_engine.policy import LoadedPolicy

__all__ = ["identity_faults"]


def identity_faults(policies: Sequence[LoadedPolicy]) -> Iterator[Fault]:
    """Find ids that stand twice, tools with look-alike names and facts with two sources."""
    yield from _policy_ids(policies)
    for loaded in policies:
        yield from _rule_ids(loaded)
    yield from _tool_names(policies)
    yield from _facts(policies)


_RESERVED: Final = frozenset({"call", "engine", "guard", "halt", "no-policy", "request"})
"""What reasons of the engine's own are named by."""


def _policy_ids(policies: Sequence[LoadedPolicy]) -> Iterator[Fault]:
    first: dict[str, LoadedPolicy] = {}
    for loaded in policies:
        if loaded.policy.policy in _RESERVED:
            message = f'a policy cannot have the id "{loaded.policy.policy}"'
            hint = "reasons that no policy gives are named so; choose another id"
            yield fault(loaded, ("policy",), "PE009", message, hint)
        known = first.setdefault(loaded.policy.policy, loaded)
        if known is not loaded:
            message = f'two policies have the id "{loaded.policy.policy}"'
            hint = f"the other is {known.document.at(('policy',))}"
            yield fault(loaded, ("policy",), "PE010", message, hint)


def _rule_ids(loaded: LoadedPolicy) -> Iterator[Fault]:
    first: dict[str, Location] = {}
    places = [(placed.rule.id, placed.path) for placed in rules_of(loaded.policy)]
    places += [(limit.id, ("limits", i)) for i, limit in enumerate(loaded.policy.limits)]
    for name, path in places:
        if name == "default":
            message = 'a rule cannot have the id "default"'
            hint = "what the policy's default says is named so; choose another id"
            yield fault(loaded, (*path, "id"), "PE009", message, hint)
        place = loaded.document.at((*path, "id"))
        known = first.setdefault(name, place)
        if known is not place:
            message = f'the id "{name}" stands twice in this policy'
            hint = f"it stands first in line {known.line}; rules and limits share their ids"
            yield fault(loaded, (*path, "id"), "PE010", message, hint)


def _tool_names(policies: Sequence[LoadedPolicy]) -> Iterator[Fault]:
    first: dict[str, tuple[str, Location]] = {}
    for loaded in policies:
        for name in loaded.policy.tools or {}:
            place = loaded.document.key_at(("tools", name))
            folded = unicodedata.normalize("NFKC", name).casefold()
            known, other = first.setdefault(folded, (name, place))
            if known != name:
                yield loaded.document.fault(
                    ("tools", name),
                    "PE021",
                    f'"{name}" and "{known}" differ only by case or Unicode form',
                    hint=f"the other is {other}; write both alike",
                    on_key=True,
                )


def _facts(policies: Sequence[LoadedPolicy]) -> Iterator[Fault]:
    first: dict[str, tuple[tuple[str, tuple[str, ...]], Location]] = {}
    for loaded in policies:
        for name, fact in loaded.policy.facts.items():
            place = loaded.document.key_at(("facts", name))
            asked = (fact.from_, fact.with_)
            known, other = first.setdefault(name, (asked, place))
            if known != asked:
                yield loaded.document.fault(
                    ("facts", name),
                    "PE021",
                    f'two policies look up the fact "{name}" differently',
                    hint=f"the other is {other}; give `from` and `with` alike, or rename one",
                    on_key=True,
                )
