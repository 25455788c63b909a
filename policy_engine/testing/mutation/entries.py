"""Entries that grant more, limits that count less, policies that are for more."""

from collections.abc import Iterator
from typing import Any

from policy_engine.compiler.message import escaped
from policy_engine.policy import Limit, LoadedPolicy, ToolBlock
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.mutation.rules import Site, approval_mutants
from policy_engine.testing.mutation.schemas import loosened

__all__ = ["entry_mutants", "limit_mutants", "policy_mutants"]


def entry_mutants(index: int, loaded: LoadedPolicy) -> Iterator[Mutant]:
    """Yield what could be wrong with the entries of a policy."""
    policy = loaded.policy
    for section in ("tools", "handoffs", "models"):
        for key, entry in (getattr(policy, section) or {}).items():
            site = Site(index, loaded, (section, key), f"{policy.policy}/{section}/{escaped(key)}")
            yield from _effect(site, entry)
            approval = getattr(entry, "approval", None)
            if approval is not None:
                yield from approval_mutants(site, approval)
            if isinstance(entry, ToolBlock):
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
        yield site.without((), "the entry is gone")


def _tool(site: Site, entry: ToolBlock) -> Iterator[Mutant]:
    for label in entry.labels:
        rest = tuple(other for other in entry.labels if other != label)
        what = f'the session does not carry "{label}"'
        yield site.mutant(("labels",), rest, what, at=("labels",))
    if entry.timeout is not None:
        yield site.mutant(
            ("timeout",), entry.timeout * 2, "the timeout is twice as long", at=("timeout",)
        )
    if entry.args is None:
        return
    unit = (*site.path, "args")
    yield site.mutant(("args",), None, "any arguments are taken", at=("args",), unit=unit)
    for name, schema in entry.args.items():
        for found in loosened(schema):  # type: ignore[arg-type]
            place = ("args", name, *found.path)
            what = f"{name}: {found.what}"
            again = () if found.retypes else unit
            yield site.mutant(("args", name), found.schema, what, at=place, unit=again)


def limit_mutants(index: int, loaded: LoadedPolicy) -> Iterator[Mutant]:
    """Yield what could be wrong with the limits of a policy."""
    for i, limit in enumerate(loaded.policy.limits):
        site = Site(index, loaded, ("limits", i), f"{loaded.policy.policy}/{limit.id}")
        yield site.without((), f'the limit "{limit.id}" is gone')
        more = limit.max + 1
        yield site.mutant(("max",), more, f"max {limit.max:g} is {more:g}", at=("max",))
        if isinstance(limit.per, float):
            yield site.mutant(("per",), limit.per / 2, "the window is half as long", at=("per",))
        elif limit.per == "day":
            yield site.mutant(("per",), 43200.0, "the window is 12 hours", at=("per",))
        yield from _narrower(site, limit)


def _narrower(site: Site, limit: Limit) -> Iterator[Mutant]:
    if limit.by == ("global",):
        yield site.mutant(("by",), ("session",), "each session counts apart", at=("by",))
    elif "session" not in limit.by:
        by = (*limit.by, "session")
        yield site.mutant(("by",), by, "each session counts apart", at=("by",))
    for i, item in enumerate(limit.tools if limit.tools and len(limit.tools) > 1 else ()):
        yield site.without(("tools", i), f'"{item}" does not count')


def policy_mutants(index: int, loaded: LoadedPolicy) -> Iterator[Mutant]:
    """Yield what could be wrong with a policy as a whole."""
    policy = loaded.policy
    everything = Site(index, loaded, (), policy.policy)
    if policy.mode == "enforce":
        what = "the policy only observes"
        yield _any(everything.mutant(("mode",), "observe", what, at=("policy",)))
    sections = [section for section in ("tools", "handoffs", "models") if getattr(policy, section)]
    if policy.default == "deny" and sections:
        at = "default" if "default" in policy.model_fields_set else sections[0]
        what = "what no entry names is allowed"
        yield _any(everything.mutant(("default",), "allow", what, at=(at,), unit=("default",)))
    applies = policy.applies_to
    if applies is None:
        return
    given = [key for key in ("agents", "roles", "tenants") if getattr(applies, key) is not None]
    for key in given:
        new = None if len(given) == 1 else applies.model_copy(update={key: None})
        what = f"the policy is for any {key}"
        yield _any(
            everything.mutant(
                ("applies_to",), new, what, at=("applies_to", key), unit=("applies_to",)
            )
        )


def _any(mutant: Mutant) -> Mutant:
    """Say that the mutant may change what any request meets."""
    return Mutant(
        mutant.index, mutant.policy, mutant.unit, mutant.what, mutant.location, None, mutant.tree
    )
