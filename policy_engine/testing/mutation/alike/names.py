"""Proves of entries that deny, and of defaults, that names are decided alike without them."""

from collections.abc import Iterator
from typing import Any

from policy_engine.compiler import Compiled
from policy_engine.compiler.names import globs_overlap, matches_glob
from policy_engine.policy import Limit, Policy
from policy_engine.testing.mutation.mutant import Mutant

__all__ = ["of_default", "of_denial"]


def of_denial(mutant: Mutant, base: Compiled, section: str, key: str) -> str | None:
    """Say why names are denied that an entry does not deny any more; None where not proved.

    Args:
        mutant: What was changed: the entry is gone, denies fewer names, or grants them.
        base: The policy set.
        section: Where the entry stands.
        key: Its name, or glob.
    """
    policy = base.parts[mutant.index].loaded.policy
    changed = getattr(mutant.policy, section) or {}
    if policy.mode == "observe" or getattr(policy, section)[key].effect != "deny":
        return None
    kept = changed.get(key)
    if section == "models" and not any(matches_glob(key, model) for model in _priced(base)):
        limit = next(_unpriced(policy), None)
        if limit is not None:
            return f'"{policy.policy}/{limit.id}" denies models without a price'
    if kept is not None and kept.effect != "deny":
        return None
    if policy.default != "deny" or _is_granted(base, section, key):
        return None
    if kept is None and any(
        any(globs_overlap(key, glob) for glob in rule.tools or ())
        and made.condition is not None
        and any(read[0] == "args" for read in made.condition.reads)
        for parts in base.parts
        for rule, made in zip(parts.loaded.policy.rules, parts.top_rules, strict=True)
    ):
        return None  # without the entry, what such a condition reads may be of other types
    return "what no entry names is denied as well"


def of_default(mutant: Mutant, base: Compiled) -> str | None:
    """Say why names that no entry matches are denied all the same; None where not proved."""
    policy = base.parts[mutant.index].loaded.policy
    why: list[str] = []
    for section in ("tools", "handoffs", "models"):
        if getattr(policy, section) is None:
            continue
        other = next(_denying(mutant, base, section), None)
        if other is not None:
            why.append(f'"{other}/default" denies it too')
            continue
        limit = next(_unpriced(policy), None)
        entries = policy.models or {}
        priced = (any(matches_glob(key, model) for key in entries) for model in _priced(base))
        if section != "models" or limit is None or not all(priced):
            return None
        why.append(f'"{policy.policy}/{limit.id}" denies models without a price')
    return ", ".join(dict.fromkeys(why)) or None


def _denying(mutant: Mutant, base: Compiled, section: str) -> Iterator[str]:
    """Yield the other policies for everybody that deny what no entry of a section names."""
    for index, parts in enumerate(base.parts):
        policy = parts.loaded.policy
        if index == mutant.index or policy.mode == "observe" or policy.applies_to is not None:
            continue
        if getattr(policy, section) is not None and policy.default == "deny":
            yield policy.policy


def _unpriced(policy: Policy) -> Iterator[Limit]:
    """Yield the limits that deny each call of a model without a price."""
    for limit in policy.limits:
        is_asked = limit.tools is None and (limit.stage or "model_request") == "model_request"
        if limit.of == "cost_usd" and is_asked and limit.mode == "enforce":
            yield limit


def _priced(base: Compiled) -> set[str]:
    return {name for one in base.policies.policies for name in one.policy.prices}


def _is_granted(base: Compiled, section: str, key: str) -> bool:
    """Whether some entry grants a name that another one matches."""
    entries: Iterator[tuple[str, Any]] = (
        item
        for parts in base.parts
        for item in (getattr(parts.loaded.policy, section) or {}).items()
    )
    return any(entry.effect != "deny" and globs_overlap(key, name) for name, entry in entries)
