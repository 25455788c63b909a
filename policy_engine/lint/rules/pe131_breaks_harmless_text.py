"""A check that finds something in everything.

What it does:
    Tries every text check on a dozen harmless sentences, and reports one that breaks on more
    than half of them. Reports terms of which every text is made, such as `the` and `and`.

Why:
    A pattern such as `[a-z]+` or `e`, a size of ten characters, or the term `the` stops whatever
    anybody says.

Fails:
    input:
      - {id: words, check: {pattern: {any: ['[a-z]+']}}, effect: deny}
    ---
    output:
      - {id: internal, check: {terms: {any: [the, order]}}, effect: deny}

Passes:
    input:
      - {id: words, check: {pattern: {any: ['(?i)secret']}}, effect: deny}

Fix:
    Say what is looked for, or how long a text may really be.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.errors import CheckError
from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.words import names_in
from policy_engine.text import Content

__all__ = ["RULE"]


_HARMLESS: Final = (
    "Hello, how are you today?",
    "Where is my order ORD-00000001?",
    "Thank you very much for your help.",
    "Please send me the invoice of last month.",
    "The meeting is at 10:30 on Monday, in room 4.",
    "I would like to change my address to 12 Main Street.",
    "Can you summarise this article in two sentences?",
    "What does the weather look like tomorrow?",
    "My package has not arrived yet.",
    "Wie lange dauert der Versand nach Hamburg?",
    "The total comes to 42.50 EUR.",
    "See you soon!",
)
_EVERYWHERE: Final = names_in(
    "a an and are as at be but by for from has have if in is it of on or that the this to was we "
    "with you your der das den dem des ein eine einen einem und oder ist sind mit von zu auf "
    "für ich sie wir nicht le la les des du un une et ou est sont dans avec vous nous que qui"
)
"""Words of which every text is made, as they are written within one."""
_TEXTS: Final = {"input": "text", "output": "text", "tool_result": "result"}


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        check = found.compiled.check
        if check is None or check.kind not in {"pattern", "terms", "size"}:
            continue
        hits = [text for text in _HARMLESS if _breaks(subject, found, text)]
        if len(hits) * 2 <= len(_HARMLESS):
            yield from _everywhere(subject, found)
            continue
        yield Found(
            found.policy,
            (*found.placed.path, "check"),
            f'"{found.placed.rule.id}" stops {len(hits)} of {len(_HARMLESS)} harmless sentences',
            "narrow what it looks for",
            on_key=True,
            witness=_witness(subject, found, hits[0]),
        )


def _everywhere(subject: Subject, found: PlacedCondition) -> Iterator[Found]:
    """Find terms that hardly a text does without."""
    options = getattr(found.placed.rule.check, "terms", None)
    for index, term in enumerate(() if options is None else options.any):
        if term in _EVERYWHERE:
            yield Found(
                found.policy,
                (*found.placed.path, "check", "terms", "any", index),
                f'hardly a text does without "{term}", and "{found.placed.rule.id}" finds it',
                "name what is looked for, with the words round it",
                witness=_witness(subject, found, f"So much for {term} weather today."),
            )


def _breaks(subject: Subject, found: PlacedCondition, text: str) -> bool:
    check = found.compiled.check
    try:
        return (
            check is not None and check.breaks(Content(text, subject.compiled.scanner)) is not None
        )
    except CheckError:
        return False


def _witness(subject: Subject, found: PlacedCondition, text: str) -> Witness | None:
    places = scenes(subject, found)
    if not places or found.stage not in _TEXTS:
        return None
    name = found.compiled.name
    request = {**places[0].plain().request, _TEXTS[found.stage]: text}
    witness = Witness(request, "stopped, though nothing is wrong with it", speaks=(name,))
    return witness if confirmed(subject, witness) else None


RULE: Final = LintRule("PE131", "breaks-harmless-text", "error", __doc__ or "", _find)
