"""A limit on money that a new session starts anew.

What it does:
    Reports a limit on an argument's sum or on cost that counts by session alone, where no other
    limit counts the same by principal, tenant, agent or everything.

Why:
    Sessions are cheap: who has spent one opens the next.

Fails:
    tools:
      refund: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 50}}}
    limits:
      - {id: sum, tools: [refund], of: args.amount, max: 200, per: day, by: [session]}

Passes:
    tools:
      refund: {args: {amount: {type: number, exclusiveMinimum: 0, maximum: 50}}}
    limits:
      - {id: sum, tools: [refund], of: args.amount, max: 200, per: day, by: [session]}
      - {id: all, tools: [refund], of: args.amount, max: 500, per: day, by: [principal]}

Fix:
    Add a limit by principal or tenant.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import globs_overlap
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject
from policy_engine.policy import Limit

__all__ = ["RULE"]

_NARROW: Final = frozenset({"session", "tool"})


def _find(subject: Subject) -> Iterator[Found]:
    every = [limit for loaded in subject.policies for limit in loaded.policy.limits]
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            if limit.of in {"calls", "tokens"} or not _is_narrow(limit):
                continue
            if not any(not _is_narrow(other) and _alike(other, limit) for other in every):
                message = f'a new session starts "{limit.id}" anew'
                hint = "add a limit by principal or tenant"
                yield Found(loaded, ("limits", index, "by"), message, hint, on_key=True)


def _is_narrow(limit: Limit) -> bool:
    return "session" in limit.by and all(k in _NARROW or k.startswith("args.") for k in limit.by)


def _alike(other: Limit, limit: Limit) -> bool:
    if other.of != limit.of:
        return False
    if limit.tools is None or other.tools is None:
        return other.tools is limit.tools
    return any(globs_overlap(a, b) for a in other.tools for b in limit.tools)


RULE: Final = LintRule("PE229", "limit-per-session", "info", __doc__ or "", _find)
