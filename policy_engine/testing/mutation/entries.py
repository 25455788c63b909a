"""Entries that grant more."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from policy_engine.compiler.message import escaped
from policy_engine.compiler.names import globs_overlap, is_glob
from policy_engine.policy import LoadedPolicy, PolicySet, ToolBlock
from policy_engine.testing.mutation.globs import longer, narrower, wider
from policy_engine.testing.mutation.mutant import Aim, Mutant, Site
from policy_engine.testing.mutation.rules import approval_mutants
from policy_engine.testing.mutation.schemas import loosened

__all__ = ["entry_mutants"]


def entry_mutants(index: int, loaded: LoadedPolicy, everything: PolicySet) -> Iterator[Mutant]:
    """Yield what could be wrong with the entries of a policy."""
    policy = loaded.policy
    for section in ("tools", "handoffs", "models"):
        granting = [
            (one.policy.policy, key)
            for one in everything.policies
            for key, entry in (getattr(one.policy, section) or {}).items()
            if entry.effect != "deny"
        ]
        for key, entry in (getattr(policy, section) or {}).items():
            site = Site(index, loaded, (section, key), f"{policy.policy}/{section}/{escaped(key)}")
            yield from _effect(site, entry)
            yield from _globs(site, section, key, entry, granting)
            yield from _gone(site, key, entry, granting)
            approval = getattr(entry, "approval", None)
            if approval is not None:
                yield from approval_mutants(site, approval)
            if isinstance(entry, ToolBlock):
                yield from _labels(site, entry, everything)
                yield from _tool(site, entry)


def _effect(site: Site, entry: Any) -> Iterator[Mutant]:
    if entry.effect == "allow":
        return
    changed: dict[str, Any] = {"effect": "allow"}
    if entry.effect == "require_approval":
        changed["approval"] = None
    what = f'"{entry.effect}" is "allow"'
    yield site.mutant((), entry.model_copy(update=changed), what, at=("effect",))
    if entry.effect == "deny":
        yield _without(site)


def _without(site: Site) -> Mutant:
    """Drop an entry; a section without entries would not load, and goes with its last one."""
    section, key = site.path
    entries = getattr(site.loaded.policy, str(section))
    rest = {other: entry for other, entry in entries.items() if other != key} or None
    whole = Site(site.index, site.loaded, (section,), site.name)
    return whole.mutant((), rest, "the entry is gone", at=(key,), unit=())


def _globs(
    site: Site, section: str, key: str, entry: Any, granting: Sequence[tuple[str, str]]
) -> Iterator[Mutant]:
    """Let a glob grant more names, or deny fewer."""
    if not is_glob(key):
        return
    entries = getattr(site.loaded.policy, section)
    changed = wider(key)
    if entry.effect == "deny":
        changed = narrower(key)
        if site.loaded.policy.default == "allow" or any(globs_overlap(key, g) for _, g in granting):
            changed = chain(changed, longer(key))
    for glob in changed:
        if glob not in entries:
            less, more = (glob, key) if entry.effect == "deny" else (key, glob)
            yield site.renamed(section, key, glob, Aim("tool", key, less, more))


def _gone(
    site: Site, key: str, entry: Any, granting: Sequence[tuple[str, str]]
) -> Iterator[Mutant]:
    """Drop an entry that restricts what is granted elsewhere too."""
    policy = site.loaded.policy
    if entry.effect == "deny":
        return
    restricts = entry.effect != "allow" or any(
        getattr(entry, part, None) for part in ("args", "rules", "result", "labels", "timeout")
    )
    elsewhere = policy.default == "allow" or any(
        globs_overlap(key, other)
        for owner, other in granting
        if (owner, other) != (policy.policy, key)
    )
    if restricts and elsewhere:
        yield _without(site)


def _labels(site: Site, entry: ToolBlock, everything: PolicySet) -> Iterator[Mutant]:
    every = [
        label
        for one in everything.policies
        for other in (one.policy.tools or {}).values()
        for label in other.labels
    ]
    for label in entry.labels:
        rest = tuple(other for other in entry.labels if other != label)
        what = f'the session does not carry "{label}"'
        # Where nothing else sets it, conditions that ask for it may not load.
        unit = () if every.count(label) == 1 else None
        yield site.mutant(("labels",), rest, what, at=("labels",), unit=unit)


def _tool(site: Site, entry: ToolBlock) -> Iterator[Mutant]:
    if entry.timeout is not None:
        longer = entry.timeout * 2
        yield site.mutant(("timeout",), longer, "the timeout is twice as long", at=("timeout",))
    if entry.args is None:
        return
    unit = (*site.path, "args")
    types = (*site.path, "types")
    yield site.mutant(("args",), None, "any arguments are taken", at=("args",), unit=types)
    for name, schema in entry.args.items():
        for found in loosened(schema):
            yield site.mutant(
                ("args", name),
                found.schema,
                f"{name}: {found.what}",
                at=("args", name, *found.path),
                unit=types if found.retypes else unit,
                aim=Aim("args", name, schema, found.schema),
            )
