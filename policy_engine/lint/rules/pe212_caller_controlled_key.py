"""A limit that the model can start anew.

What it does:
    Reports a limit whose counters are told apart by arguments alone: `by: [args.account]`.

Why:
    The model chooses the arguments. Each new value has a counter of its own, which begins at 0.

Fails:
    tools:
      pay: {args: {to: {type: string, maxLength: 40}}}
    limits:
      - {id: payments, tools: [pay], max: 5, per: 1h, by: [args.to]}

Passes:
    tools:
      pay: {args: {to: {type: string, maxLength: 40}}}
    limits:
      - {id: payments, tools: [pay], max: 5, per: 1h, by: [principal]}
      - {id: one-each, tools: [pay], max: 1, per: 1h, by: [session, args.to]}

Fix:
    Count by what the model cannot choose: session, principal, agent or tenant.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            if all(key.startswith("args.") for key in limit.by):
                message = f'the model chooses what "{limit.id}" counts by: {", ".join(limit.by)}'
                hint = "add session, principal, agent or tenant"
                yield Found(loaded, ("limits", index, "by"), message, hint, on_key=True)


RULE: Final = LintRule("PE212", "caller-controlled-key", "warning", __doc__ or "", _find)
