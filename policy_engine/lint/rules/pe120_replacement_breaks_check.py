"""A redaction whose replacement is found again.

What it does:
    Reports a rule with `effect: redact` whose `replacement` (or `<ENTITY>`) its own check finds.

Why:
    What was redacted is judged once more, and what is found then denies. The rule never redacts.

Fails:
    output:
      - id: names
        check: {terms: {any: [apollo]}}
        effect: redact
        replacement: '[project Apollo]'

Passes:
    output:
      - id: names
        check: {terms: {any: [apollo]}}
        effect: redact
        replacement: '[project]'

Fix:
    Use a replacement that the check does not know.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.errors import CheckError
from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.regexes import sample
from policy_engine.lint.proof.scene import confirmed, scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.text import Content

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        compiled = found.compiled
        if compiled.effect != "redact" or compiled.check is None:
            continue
        text = compiled.replacement or f"<{compiled.check.entity}>"
        try:
            broken = compiled.check.breaks(Content(text, subject.compiled.scanner))
        except CheckError:
            continue
        if broken is not None:
            key = "replacement" if found.placed.rule.replacement is not None else "check"
            yield Found(
                found.policy,
                (*found.placed.path, key),
                f'the check finds its own replacement "{text}", so this denies',
                "use a replacement that the check does not know",
                witness=_witness(subject, found),
            )


def _witness(subject: Subject, found: PlacedCondition) -> Witness | None:
    check = found.placed.rule.check
    terms = getattr(getattr(check, "terms", None), "any", None) or ()
    patterns = getattr(getattr(check, "pattern", None), "any", None) or ()
    texts = [*terms, *(text for pattern in patterns for text in sample(pattern))]
    places = scenes(subject, found)
    if not texts or not places or found.stage == "tool_call":
        return None
    field = "text" if found.stage in {"input", "output"} else "result"
    request = {**places[0].plain().request, field: texts[0]}
    witness = Witness(request, "denied, and not redacted", "deny")
    return witness if confirmed(subject, witness) else None


RULE: Final = LintRule("PE120", "replacement-breaks-check", "error", __doc__ or "", _find)
