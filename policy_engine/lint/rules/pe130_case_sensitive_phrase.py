"""A phrase that is found in one case only.

What it does:
    Reports a pattern over input, output or a result that is words in lower case and does not
    begin with `(?i)`, and a phrase in lower case under `terms` with `case_sensitive: true`.

Why:
    `ignore previous instructions` does not find "Ignore previous instructions".

Fails:
    input:
      - {id: orders, check: {pattern: {any: ['ignore previous instructions']}}, effect: deny}

    ---
    output:
      - id: orders
        check: {terms: {any: [for internal use], case_sensitive: true}}
        effect: deny

Passes:
    input:
      - {id: orders, check: {pattern: {any: ['(?i)ignore previous instructions']}}, effect: deny}

Fix:
    Begin it with `(?i)`, or use a `terms` check.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.proof.regexes import sample
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]


_PHRASE: Final = re.compile(r"[a-z]{3,}(?:[a-z ,.'()|?*+-]|\\[sb.])*")
_STAGES: Final = {"input": "text", "output": "text", "tool_result": "result"}


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        if found.stage not in _STAGES:
            continue
        yield from _terms(subject, found)
        options = getattr(found.placed.rule.check, "pattern", None)
        if options is None:
            continue
        for index, pattern in enumerate(options.any):
            if _PHRASE.fullmatch(pattern.removeprefix(r"\b")):
                yield Found(
                    found.policy,
                    (*found.placed.path, "check", "pattern", "any", index),
                    f'"{pattern[:60]}" is found in lower case only',
                    "begin it with `(?i)`, or use a `terms` check",
                    witness=_witness(subject, found, pattern),
                )


def _terms(subject: Subject, found: PlacedCondition) -> Iterator[Found]:
    options = getattr(found.placed.rule.check, "terms", None)
    if options is None or not options.case_sensitive:
        return
    for index, term in enumerate(options.any):
        if " " in term and _PHRASE.fullmatch(term):
            yield Found(
                found.policy,
                (*found.placed.path, "check", "terms", "any", index),
                f'"{term[:60]}" is found in lower case only',
                "leave out `case_sensitive`",
                witness=_witness(subject, found, term),
            )


def _witness(subject: Subject, found: PlacedCondition, pattern: str) -> Witness | None:
    for scene in scenes(subject, found)[:1]:
        for text in sample(pattern):
            request = {**scene.plain().request, _STAGES[found.stage]: text.upper()}
            name = found.compiled.name
            witness = Witness(request, f'"{name}" does not find it', silent=(name,))
            if confirmed(subject, witness):
                return witness
    return None


RULE: Final = LintRule("PE130", "case-sensitive-phrase", "warning", __doc__ or "", _find)
