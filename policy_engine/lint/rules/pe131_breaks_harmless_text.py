"""A check that finds something in everything.

What it does:
    Tries every text check on a dozen harmless sentences, and reports one that breaks on more
    than half of them.

Why:
    A pattern such as `[a-z]+` or `e`, or a size of ten characters, stops whatever anybody says.

Fails:
    input:
      - {id: words, check: {pattern: {any: ['[a-z]+']}}, effect: deny}

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
_TEXTS: Final = {"input": "text", "output": "text", "tool_result": "result"}


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        check = found.compiled.check
        if check is None or check.kind not in {"pattern", "terms", "size"}:
            continue
        hits = [text for text in _HARMLESS if _breaks(subject, found, text)]
        if len(hits) * 2 <= len(_HARMLESS):
            continue
        yield Found(
            found.policy,
            (*found.placed.path, "check"),
            f'"{found.placed.rule.id}" stops {len(hits)} of {len(_HARMLESS)} harmless sentences',
            "narrow what it looks for",
            on_key=True,
            witness=_witness(subject, found, hits[0]),
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
