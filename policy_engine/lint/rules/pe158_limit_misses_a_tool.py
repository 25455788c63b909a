"""A sum that leaves out one of two tools of a kind.

What it does:
    Reports a tool that pays or transfers like one that a limit names, whose amount no limit sums
    up.

Why:
    Where the one is used up, the agent pays by the other.

Fails:
    tools:
      pay_here: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 100}}}
      pay_abroad: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 100}}}
    limits:
      - {id: sum, tools: [pay_here], of: args.amount, max: 1000, per: day, by: [principal]}

Passes:
    tools:
      pay_here: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 100}}}
      pay_abroad: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 100}}}
    limits:
      - {id: sum, tools: ["pay_*"], of: args.amount, max: 1000, per: day, by: [principal]}

Fix:
    Name the tool as well, or write a glob.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import is_glob, matches_glob
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.siblings import siblings
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    summed = [
        (loaded, index, limit)
        for loaded in subject.policies
        for index, limit in enumerate(loaded.policy.limits)
        if limit.of.startswith("args.") and limit.tools
    ]
    for loaded, index, limit in summed:
        if any(is_glob(glob) for glob in limit.tools or ()):
            continue
        argument = limit.of.removeprefix("args.")
        for name, like in siblings(subject, limit.tools or ()):
            takes = any(argument in (e.block.args or {}) for e in subject.entries_of(name))
            counted = any(
                other.of == limit.of and any(matches_glob(glob, name) for glob in other.tools or ())
                for _, _, other in summed
            )
            if takes and not counted:
                yield Found(
                    loaded,
                    ("limits", index, "tools"),
                    f'"{limit.id}" sums up "{like}", and not "{name}"',
                    f'add "{name}", or write a glob',
                    on_key=True,
                )


RULE: Final = LintRule("PE158", "limit-misses-a-tool", "warning", __doc__ or "", _find)
