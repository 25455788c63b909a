"""Proves of what holds across tools that it may as well cover, or take, something else."""

from policy_engine.compiler.names import globs_overlap, is_glob
from policy_engine.policy import ToolBlock, TopRule
from policy_engine.testing.mutation.alike.pairs import Change, covers
from policy_engine.testing.mutation.alike.values import is_optional, never_both
from policy_engine.testing.search.fitting import fits, only_of

__all__ = ["of_constraint", "of_cover"]


def of_cover(change: Change, rule: TopRule, number: int) -> str | None:
    """Prove it of a rule that covers other names."""
    changed = change.changed.parts[change.mutant.index].loaded.policy.rules[number]
    granted = change.granted()
    if granted is None or rule.stage != "tool_call":
        return None
    for name, _ in granted:
        if is_glob(name) and any(globs_overlap(g, name) for g in rule.tools or ()):
            return None
        if covers(rule, name) is not covers(changed, name):
            return None
    return "no entry grants a tool that it covers otherwise"


def of_constraint(change: Change, rule: TopRule) -> str | None:
    """Prove it of a constraint across tools."""
    granted = change.granted()
    if granted is None or rule.args is None or rule.stage != "tool_call":
        return None
    for name, entry in granted:
        overlaps = any(globs_overlap(glob, name) for glob in rule.tools or ())
        left_out = not is_glob(name) and not covers(rule, name)
        if overlaps and not left_out and not _is_refused(change, entry):
            return None
    return "each entry that grants such a call refuses what is told otherwise"


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
