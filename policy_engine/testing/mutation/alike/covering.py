"""Proves of what holds across tools that it may as well cover, or take, something else."""

from collections.abc import Mapping
from typing import Any

from policy_engine.compiler import Compiled
from policy_engine.compiler.names import globs_overlap, is_glob
from policy_engine.policy import Policy, ToolBlock, TopRule
from policy_engine.testing.mutation.alike.pairs import Change, covers, granted
from policy_engine.testing.mutation.alike.values import is_never, is_optional, never_both
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.search.fitting import fits, only_of

__all__ = ["of_constraint", "of_cover", "of_silent"]


def of_cover(change: Change, rule: TopRule, number: int) -> str | None:
    """Prove it of a rule that covers other names."""
    changed = change.changed.parts[change.mutant.index].loaded.policy.rules[number]
    known = change.granted()
    if known is None or rule.stage != "tool_call":
        return None
    for name, _ in known:
        if is_glob(name) and any(globs_overlap(g, name) for g in rule.tools or ()):
            return None
        if covers(rule, name) is not covers(changed, name):
            return None
    return "no entry grants a tool that it covers otherwise"


def of_constraint(change: Change, rule: TopRule) -> str | None:
    """Prove it of a constraint across tools."""
    known = change.granted()
    if known is None or rule.args is None or rule.stage != "tool_call":
        return None
    for name, entry in known:
        overlaps = any(globs_overlap(glob, name) for glob in rule.tools or ())
        left_out = not is_glob(name) and not covers(rule, name)
        if overlaps and not left_out and not _is_refused(change, entry):
            return None
    return "each entry that grants such a call refuses what is told otherwise"


def of_silent(mutant: Mutant, base: Compiled) -> str | None:
    """Prove it of a constraint across tools that no call breaks, whatever becomes of it."""
    policy, known = base.parts[mutant.index].loaded.policy, granted(base)
    match mutant.unit:
        case ("rules", int(number)) if known is not None:
            rule = policy.rules[number]
            if rule.args is None or rule.when is not None or rule.stage != "tool_call":
                return None
            others = (*policy.rules[:number], *policy.rules[number + 1 :])
            its = tuple(mutant.policy.rules)
            if its not in (others, _with_other_effect(policy, mutant, number)):
                return None
            for name, entry in known:
                overlaps = any(globs_overlap(glob, name) for glob in rule.tools or ())
                left_out = not is_glob(name) and not covers(rule, name)
                if overlaps and not left_out and not _never_breaks(entry, rule.args):
                    return None
            return "each entry that grants such a call refuses what breaks it"
    return None


def _with_other_effect(policy: Policy, mutant: Mutant, number: int) -> tuple[TopRule, ...]:
    """Return the rules where one of them only speaks otherwise; as they are if there are fewer."""
    rules = tuple(policy.rules)
    if len(mutant.policy.rules) < len(rules):
        return rules
    other = mutant.policy.rules[number]
    keys = ("effect", "approval", "mode")
    changed = rules[number].model_copy(update={key: getattr(other, key) for key in keys})
    return (*rules[:number], changed, *rules[number + 1 :])


def _never_breaks(entry: ToolBlock, args: Mapping[str, Any]) -> bool:
    """Whether no call that an entry takes breaks a constraint."""
    for name, schema in args.items():
        mine = (entry.args or {}).get(name)
        if mine is None or is_optional(mine) or not is_never(("args", name), mine, schema):
            return False
    return entry.args is not None


def _is_refused(change: Change, entry: ToolBlock) -> bool:
    """Whether an entry refuses all values of which the constraint says something else."""
    aim = change.aim
    before, after, term = aim.before, aim.after, ("args", aim.name)
    if entry.args is None:
        return False
    schema = entry.args.get(aim.name)
    if schema is None:
        # Then the argument is never there, which matters only where it must be.
        return after != {} and is_optional(before) == is_optional(after)
    if is_optional(schema):
        return False
    taken = fits(term, schema)
    if is_optional(before) != is_optional(after) and not never_both(
        taken, fits(term, {"type": "null"})
    ):
        return False
    more, fewer = only_of(term, after, before), only_of(term, before, after)
    return never_both(taken, *more) and never_both(taken, *fewer)
