"""The names of a policy set that tests may refer to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policy_engine.compiler import Compiled
from policy_engine.compiler.message import escaped
from policy_engine.compiler.names import matches_glob
from policy_engine.engine import Engine
from policy_engine.policy import LoadedPolicy, NamedBlock, ToolBlock
from policy_engine.testing.reading.declared import Declared, declared_of

__all__ = ["Names", "names_of"]

_OF_THE_ENGINE = ("no-policy", "request", "call")
"""What decides where no policy does."""
_DEFAULT: Final = re.compile("[^/]+/default")
_SECTIONS = ("tools", "handoffs", "models")


@dataclass(frozen=True, slots=True)
class Names:
    """What a policy set calls its parts."""

    rules: frozenset[str]
    """Everything that a reason may name."""
    approvals: frozenset[str]
    """Rules and entries that ask for an approval."""
    declared_values: Mapping[str, Mapping[str, Declared]]
    """`attrs`, `context`, `facts` -> name -> what policies declare of it."""
    labels: frozenset[str]
    alerts: frozenset[str]
    """Limits that raise an alert."""
    arguments: Mapping[str, tuple[str, ...]]
    """Rule of an entry's constraint -> the arguments that it declares."""
    globs: Mapping[str, str]
    """Rule of an entry's constraint -> the name or glob of the entry."""

    entries: Mapping[str, tuple[str, ...]]
    """Section -> the names and globs of its entries; none where no policy has it."""
    unguarded: frozenset[str]
    """Sections in which a policy may allow what no entry names."""
    engine: Engine
    """Decides what a request meets, whatever came before it."""

    @property
    def defaults(self) -> tuple[str, ...]:
        """What denies a name that no entry has."""
        return (*sorted(rule for rule in self.rules if _DEFAULT.fullmatch(rule)), "no-policy")

    def declared(self, tool: str) -> tuple[str, ...]:
        """Return the arguments that entries declare of a tool."""
        return tuple(
            name
            for rule, declared in self.arguments.items()
            if matches_glob(self.globs[rule], tool)
            for name in declared
        )

    def refusing(self, tool: str, argument: str) -> tuple[str, ...]:
        """Return the rules that could refuse an argument of a tool."""
        return tuple(
            f"{rule}/args/{escaped(argument)}" if argument in declared else f"{rule}/args"
            for rule, declared in self.arguments.items()
            if matches_glob(self.globs[rule], tool)
        )


def names_of(compiled: Compiled) -> Names:
    """Collect the names of a policy set."""
    loaded = compiled.policies.policies
    rules = set(_OF_THE_ENGINE)
    approvals: set[str] = set()
    arguments: dict[str, tuple[str, ...]] = {}
    globs: dict[str, str] = {}
    for one in loaded:
        for name, asks in _names(one):
            rules.add(name)
            if asks:
                approvals.add(name)
        for key, entry in (one.policy.tools or {}).items():
            if entry.args is not None:
                rule = f"{one.policy.policy}/tools/{escaped(key)}"
                arguments[rule] = tuple(entry.args)
                globs[rule] = key
    entries = {
        section: tuple(key for listed in found for key in listed)
        for section in _SECTIONS
        if (found := [s for one in loaded if (s := getattr(one.policy, section)) is not None])
    }
    tools = [entry for one in loaded for entry in (one.policy.tools or {}).values()]
    return Names(
        rules=frozenset(rules),
        approvals=frozenset(approvals),
        declared_values=declared_of(compiled),
        engine=Engine(compiled),
        labels=frozenset(label for entry in tools for label in entry.labels),
        alerts=frozenset(
            f"{one.policy.policy}/{limit.id}"
            for one in loaded
            for limit in one.policy.limits
            if limit.alert_at is not None
        ),
        arguments=arguments,
        globs=globs,
        entries=entries,
        unguarded=frozenset(
            section
            for one in loaded
            for section in _SECTIONS
            if one.policy.default == "allow" and getattr(one.policy, section)
        ),
    )


def _names(loaded: LoadedPolicy) -> Iterator[tuple[str, bool]]:
    """Yield every name of a policy, and whether it asks for an approval."""
    policy = loaded.policy
    own = policy.policy
    yield own, False
    yield f"{own}/default", False
    for rule in (*policy.input, *policy.output, *policy.rules):
        yield f"{own}/{rule.id}", rule.effect == "require_approval"
    for limit in policy.limits:
        yield f"{own}/{limit.id}", False
    for key in policy.models or {}:
        yield f"{own}/models/{escaped(key)}", False
    for key, block in (policy.handoffs or {}).items():
        yield from _of_block(own, f"{own}/handoffs/{escaped(key)}", block)
    for key, entry in (policy.tools or {}).items():
        name = f"{own}/tools/{escaped(key)}"
        yield from _of_block(own, name, entry)
        for result in entry.result:
            yield f"{own}/{result.id}", False
        if entry.args is not None:
            yield f"{name}/args", False
            for argument in entry.args:
                yield f"{name}/args/{escaped(argument)}", False


def _of_block(own: str, name: str, block: ToolBlock | NamedBlock) -> Iterator[tuple[str, bool]]:
    yield name, block.effect == "require_approval"
    for rule in block.rules:
        yield f"{own}/{rule.id}", rule.effect == "require_approval"
