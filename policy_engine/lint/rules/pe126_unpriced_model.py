"""A model that a cost limit always denies.

What it does:
    Reports a set with a limit `of: cost_usd` and a model, allowed by its exact name, that has no
    price.

Why:
    What cannot be counted is denied: the model is allowed and can never be called.

Fails:
    models: {gpt-4o-mini: allow, gpt-4o: allow}
    prices: {gpt-4o-mini: {input: 0.15, output: 0.60}}
    limits:
      - {id: cost, of: cost_usd, max: 5, by: [session]}

Passes:
    models: {gpt-4o-mini: allow}
    prices: {gpt-4o-mini: {input: 0.15, output: 0.60}}
    limits:
      - {id: cost, of: cost_usd, max: 5, by: [session]}

Fix:
    Add its price.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import is_glob
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    policies = [loaded.policy for loaded in subject.policies]
    if not any(limit.of == "cost_usd" for policy in policies for limit in policy.limits):
        return
    priced = {name for policy in policies for name in policy.prices}
    for loaded in subject.policies:
        for name, entry in (loaded.policy.models or {}).items():
            if entry.effect == "allow" and not is_glob(name) and name not in priced:
                message = f'"{name}" has no price, so the cost limit denies it'
                hint = f"add `{name}: {{input: ..., output: ...}}` to `prices`"
                yield Found(loaded, ("models", name), message, hint, on_key=True)


RULE: Final = LintRule("PE126", "unpriced-model", "error", __doc__ or "", _find)
