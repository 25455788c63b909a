"""No policy says which models may be called.

What it does:
    Reports a set without a `models` section that counts tokens or cost. Only for the pedantic
    persona.

Why:
    Without the section any model may be called, also one that the provider added yesterday.

Fails:
    limits:
      - {id: tokens, of: tokens, max: 20000, by: [session]}

Passes:
    models: {gpt-4o-mini: allow}
    limits:
      - {id: tokens, of: tokens, max: 20000, by: [session]}

Fix:
    List the models.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    if any(loaded.policy.models is not None for loaded in subject.policies):
        return
    for loaded in subject.policies:
        for index, limit in enumerate(loaded.policy.limits):
            if limit.of in {"tokens", "cost_usd"}:
                message = "tokens are counted, but any model may be called"
                path = ("limits", index, "of")
                yield Found(loaded, path, message, "list the models under `models`")
                return


RULE: Final = LintRule("PE222", "any-model", "info", __doc__ or "", _find, persona="pedantic")
