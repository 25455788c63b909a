r"""A pattern of a number that people write with gaps.

What it does:
    Reports a pattern of a text check that finds the digits of a payment card or of a US social
    security number only where they stand side by side, and no pattern beside it finds them with
    spaces or hyphens.

Why:
    `4111 1111 1111 1111` is how a card is printed. The rule redacts the one spelling that hardly
    anybody uses.

Fails:
    output:
      - {id: cards, check: {pattern: {any: ['[0-9]{16}']}}, effect: redact}

Passes:
    output:
      - {id: cards, check: {pattern: {any: ['\b(?:[0-9][ -]?){12,18}[0-9]\b']}}, effect: redact}
    ---
    output:
      - {id: orders, check: {pattern: {any: ['ORD-[0-9]{16}']}}, effect: redact}

Fix:
    Allow a space or a hyphen between digits: `\b(?:[0-9][ -]?){12,18}[0-9]\b`.
"""

from collections.abc import Iterator
from typing import Any, Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.proof.regexes import sample, search
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]

_WRITTEN: Final = {
    16: ("4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "a payment card"),
    9: ("219099999", "219-09-9999", "219 09 9999", "a social security number"),
}
"""How many digits -> the number side by side, with gaps, and what it is."""
_TEXTS: Final = {"input": "text", "output": "text", "tool_result": "result"}


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        check: Any = found.placed.rule.check
        listed = () if check is None or check.pattern is None else tuple(check.pattern.any)
        for index, pattern in enumerate(listed):
            digits = next((text for text in sample(pattern) if text.isdecimal()), "")
            if len(digits) not in _WRITTEN:
                continue
            plain, *gaps, noun = _WRITTEN[len(digits)]
            if search(pattern, plain) is not True:
                continue
            missed = [g for g in gaps if not any(search(one, g) for one in listed)]
            if missed:
                path = (*found.placed.path, "check", "pattern", "any", index)
                yield Found(
                    found.policy,
                    path,
                    f'{noun} is not found as it is written: "{missed[0]}"',
                    r"allow gaps: `\b(?:[0-9][ -]?){12,18}[0-9]\b`"
                    if len(digits) == 16
                    else r"allow gaps: `\b[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}\b`",
                    witness=_witness(subject, found, missed[0]),
                )


def _witness(subject: Subject, found: PlacedCondition, text: str) -> Witness | None:
    place, name = _TEXTS.get(found.stage), found.compiled.name
    for scene in scenes(subject, found)[:1] if place is not None else ():
        request = {**scene.plain().request, str(place): text}
        witness = Witness(request, f'"{name}" does not find it', silent=(name,))
        if confirmed(subject, witness):
            return witness
    return None


RULE: Final = LintRule("PE156", "digits-without-gaps", "warning", __doc__ or "", _find)
