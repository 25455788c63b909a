"""A limit that another limit, or the arguments, never let it reach.

What it does:
    Reports a limit on the same tools, by the same keys, beside one that is reached first: 10 an
    hour beside 5 an hour, or 5 an hour beside 5 a minute (which are 300 an hour; that one is left
    alone). And a sum that the highest amount times the permitted calls never reaches.

Why:
    It never counts. The number that people quote is the one that does not hold.

Fails:
    tools:
      refund: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 500}}}
    limits:
      - {id: few, tools: [refund], max: 5, per: 1h, by: [session]}
      - {id: many, tools: [refund], max: 10, per: 1h, by: [session]}
    ---
    tools:
      refund: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 500}}}
    limits:
      - {id: few, tools: [refund], max: 5, per: day, by: [principal]}
      - {id: sum, tools: [refund], of: args.amount, max: 10000, per: day, by: [principal]}

Passes:
    tools:
      refund: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 500}}}
    limits:
      - {id: few, tools: [refund], max: 5, per: 1h, by: [session]}
      - {id: many, tools: [refund], max: 10, per: day, by: [principal]}
      - {id: sum, tools: [refund], of: args.amount, max: 1000, per: day, by: [principal]}

Fix:
    Lower it, or remove one of the two.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.proof.scene import call_scene
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.lint.together import applies_with, covers_name
from policy_engine.policy import Limit, LoadedPolicy

__all__ = ["RULE"]

_DAY: Final = 86_400.0


def _find(subject: Subject) -> Iterator[Found]:
    every = [
        (loaded, index, limit)
        for loaded in subject.policies
        for index, limit in enumerate(loaded.policy.limits)
        if limit.mode == "enforce"
    ]
    for position, (loaded, index, limit) in enumerate(every):
        for place, (home, _, other) in enumerate(every):
            if other is limit or not applies_with(home, loaded):
                continue
            if not _counts_as_much(other, limit) or not _spans(other, limit):
                continue
            most = _reached(subject, loaded, limit, other)
            if most is None or most > limit.max or (most == limit.max and not place < position):
                continue
            message = f'"{limit.id}" is never reached: "{other.id}" stops at {_written(most)}'
            hint = f"lower it below {_written(most)}, or remove one of the two"
            yield Found(loaded, ("limits", index, "max"), message, hint)
            break


def _counts_as_much(other: Limit, limit: Limit) -> bool:
    """Whether all that a limit counts, another one counts too, in one counter or a wider one."""
    if not set(other.by) - {"global"} <= set(limit.by):
        return False
    if other.tools is None or limit.tools is None:
        return other.tools is limit.tools and other.stage == limit.stage and other.of == limit.of
    return all(any(covers_name(wide, name) for wide in other.tools) for name in limit.tools)


def _spans(other: Limit, limit: Limit) -> bool:
    """Whether the window of another limit is at least as long."""
    if other.per is None:
        return True
    if limit.per is None or isinstance(other.per, str) or isinstance(limit.per, str):
        return other.per == limit.per and other.timezone == limit.timezone
    return other.per >= limit.per


def _reached(subject: Subject, loaded: LoadedPolicy, limit: Limit, other: Limit) -> float | None:
    """Return what another limit leaves of what this one counts; None where that is not known."""
    if other.of == limit.of:
        return other.max
    if other.of != "calls" or not limit.of.startswith("args."):
        return None
    highest = 0.0
    names = [n for n in subject.names if any(matches_glob(g, n) for g in limit.tools or ())]
    for name in names:
        scene = call_scene(subject, loaded, name)
        highest = max(highest, scene.base(tuple(limit.of.split("."))).highest[0])
    return other.max * highest if names and highest < float("inf") else None


def _written(number: float) -> str:
    return f"{number:,.10g}"


RULE: Final = LintRule("PE138", "redundant-limit", "warning", __doc__ or "", _find)
