"""A price of a model that nobody may call.

What it does:
    Reports a price whose model every entry that matches it denies.

Why:
    It was left behind, or the wrong model is denied.

Fails:
    models: {gpt-4o: deny, gpt-4o-mini: allow}
    prices:
      gpt-4o: {input: 2.50, output: 10}
      gpt-4o-mini: {input: 0.15, output: 0.60}
    limits:
      - {id: cost, of: cost_usd, max: 5, by: [principal]}

Passes:
    models: {gpt-4o-mini: allow}
    prices: {gpt-4o-mini: {input: 0.15, output: 0.60}}
    limits:
      - {id: cost, of: cost_usd, max: 5, by: [principal]}

Fix:
    Remove the price, or allow the model.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    entries = [
        (glob, entry.effect)
        for loaded in subject.policies
        for glob, entry in (loaded.policy.models or {}).items()
    ]
    for loaded in subject.policies:
        for name in loaded.policy.prices:
            effects = [effect for glob, effect in entries if matches_glob(glob, name)]
            if effects and all(effect == "deny" for effect in effects):
                message = f'nobody may call "{name}", so its price is of no use'
                hint = "remove it, or allow the model"
                yield Found(loaded, ("prices", name), message, hint, on_key=True)


RULE: Final = LintRule("PE142", "idle-price", "info", __doc__ or "", _find)
