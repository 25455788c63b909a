"""A model that costs nothing under a limit of costs.

What it does:
    Reports a price of `{input: 0, output: 0}` of a model that may be called, where the set has a
    limit `of: cost_usd`.

Why:
    Zero is what people write until they know. Calls of this model add nothing to the sum, so the
    limit never stops them.

Fails:
    models: {gpt-4o-mini: allow}
    prices: {gpt-4o-mini: {input: 0, output: 0}}
    limits:
      - {id: cost, of: cost_usd, max: 5, per: day, by: [tenant]}

Passes:
    models: {gpt-4o-mini: allow, my-embedder: allow}
    prices:
      gpt-4o-mini: {input: 0.15, output: 0.60}
      my-embedder: {input: 0.02, output: 0}
    limits:
      - {id: cost, of: cost_usd, max: 5, per: day, by: [tenant]}

Fix:
    Write what it costs. For a model of your own that is free, limit calls or tokens, and silence
    this with the reason.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    policies = [loaded.policy for loaded in subject.policies]
    limits = [limit for policy in policies for limit in policy.limits if limit.of == "cost_usd"]
    if not limits:
        return
    entries = [pair for policy in policies for pair in (policy.models or {}).items()]
    for loaded in subject.policies:
        for name, price in loaded.policy.prices.items():
            effects = [entry.effect for glob, entry in entries if matches_glob(glob, name)]
            if price.input or price.output or "deny" in effects:
                continue
            yield Found(
                loaded,
                ("prices", name),
                f'"{name}" costs nothing, so "{limits[0].id}" never counts it',
                "write what it costs, or limit its calls or tokens",
                on_key=True,
            )


RULE: Final = LintRule("PE152", "price-of-nothing", "warning", __doc__ or "", _find)
