r"""A pattern that finds something only where it is the whole text.

What it does:
    Reports a pattern of a check over input or output that is tied to the beginning or the end of
    the text, and is for what stands within it: a redaction of a number or an address, `^.*` and
    `.*$`, a long number that is stopped, and words that mislead a model; where the same within a
    sentence, or on the second of three lines, is not found.

Why:
    People and models write sentences. `^` is the beginning of the text and `$` its end, and `.`
    takes no line break, so the rule finds the number alone and nothing else.

Fails:
    output:
      - {id: passports, check: {pattern: {any: ['^[A-Z]{2}[0-9]{7}$']}}, effect: redact}
    ---
    output:
      - {id: internal, check: {pattern: {any: ['(?i)^.*for internal use.*$']}}, effect: deny}

Passes:
    output:
      - {id: passports, check: {pattern: {any: ['\b[A-Z]{2}[0-9]{7}\b']}}, effect: redact}
    ---
    input:
      - {id: loud, check: {pattern: {any: ['^[A-Z !]+$']}}, effect: deny}

Fix:
    Take `^` and `$` away, or write `\b`; with `(?m)` they are the ends of a line.
"""

import re
from collections.abc import Iterator
from typing import Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.messages import spoken
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.proof.regexes import is_anchored, sample, search, top_branches
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]

_WITHIN: Final = ("It is {}, as he said.", "Dear all,\n{}\nBest regards")
_SAYING: Final = re.compile(r"[0-9]{3}|[^\s@]@[^\s@]|[A-Za-z]{4}|[A-Z0-9]{6}")
"""Texts that say something: numbers, addresses, words."""
_ANYTHING: Final = ("hello", "Hello there.", "OK", "")


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        options = getattr(found.placed.rule.check, "pattern", None)
        if options is None or found.stage not in {"input", "output"}:
            continue
        for index, pattern in enumerate(options.any):
            if not _is_meant_within(found, pattern):
                continue
            witness = _missed(subject, found, pattern, tuple(options.any))
            if witness is not None:
                path = (*found.placed.path, "check", "pattern", "any", index)
                yield Found(found.policy, path, _said(pattern), _HINT, witness=witness)


def _missed(
    subject: Subject, found: PlacedCondition, pattern: str, beside: tuple[str, ...]
) -> Witness | None:
    """Return a text with something in it that a rule finds only where it stands alone."""
    ends = _ends(pattern)
    if not any(ends) or any(search(pattern, text) for text in _ANYTHING):
        return None
    name = found.compiled.name
    for text in sample(pattern):
        if not _SAYING.search(text):
            continue
        tried = [around.format(text) for around in _WITHIN]
        if any(search(one, tried[-1]) is not False for one in beside):
            continue  # it looks for lines, with `(?m)`
        for whole in tried:
            if any(search(one, whole) is not False for one in beside):
                continue
            for scene in scenes(subject, found)[:1]:
                plain = scene.plain().request
                alone = Witness({**plain, "text": text}, "", speaks=(name,))
                missed = Witness({**plain, "text": whole}, _SHOWS, silent=(name,))
                if confirmed(subject, alone) and confirmed(subject, missed):
                    return missed
    return None


def _ends(pattern: str) -> tuple[bool, bool]:
    """Whether a pattern is tied to the beginning, and to the end, of a text."""
    branches = top_branches(pattern)
    first, last = (
        bool(branches) and all(is_anchored(branch, start=start) for branch in branches)
        for start in (True, False)
    )
    return first, last


def _said(pattern: str) -> str:
    first, last = _ends(pattern)
    if first and last:
        return "this is found only where it is the whole text"
    return f"this is found only at the {'beginning' if first else 'end'} of the text"


def _is_meant_within(found: PlacedCondition, pattern: str) -> bool:
    """Whether what a pattern is for stands within other text.

    It takes out a number or an address; it begins or ends with `.*`; or it stops what is told
    to models to mislead them, or a long number. What is stopped as a whole text, such as a lone
    code or a greeting, and how a text begins, is left alone.
    """
    rule = found.placed.rule
    said = f"{spoken(rule)}"
    if _ALONE.search(said):
        return False
    if "^.*" in pattern.replace(")", "") or ".*$" in pattern:
        return True
    texts = sample(pattern)
    if found.compiled.effect == "redact":
        return any(sum(char.isdigit() for char in text) >= _FEW or "@" in text for text in texts)
    if found.stage == "input" and any(_MISLEADING.search(text) for text in texts):
        return True
    return all(_ends(pattern)) and any(_LONG_NUMBER.search(text) for text in texts)


_FEW: Final = 4
_ALONE: Final = re.compile(
    r"\b(?:alone|only|just|nothing but|whole|bare|lone|empty|question|starts?|begins?"
    r"|greetings?)\b",
    re.IGNORECASE,
)
_MISLEADING: Final = re.compile(
    r"\b(?:instructions?|prompt|passwords?|secrets?|jailbreak|internal)\b",
    re.IGNORECASE,
)
_LONG_NUMBER: Final = re.compile(r"[0-9]{9}|[A-Z]{2}[0-9]{7}")
_SHOWS: Final = "not found: there is something round it"
_HINT: Final = r"take `^` and `$` away, or write `\b`"

RULE: Final = LintRule("PE239", "pattern-of-a-whole-text", "warning", __doc__ or "", _find)
