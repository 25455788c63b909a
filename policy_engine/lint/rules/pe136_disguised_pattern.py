r"""A pattern or a term that is itself in disguise.

What it does:
    Reports a pattern, a term, a listed value or a text in a condition with invisible characters,
    with full-width or otherwise dressed letters and digits, or with look-alike letters of another
    alphabet in the middle of a word.

Why:
    Disguises are undone in the text before it is searched, and not in a pattern: a
    full-width "ABC" finds what is written with these very characters, and a plain "ABC" passes.
    Mostly it was copied from a document, and looks right.

Fails:
    output:
      - {id: names, check: {pattern: {any: ["\uFF21\uFF22\uFF23-[0-9]+"]}}, effect: deny}
    ---
    output:
      - {id: names, check: {terms: {any: ["sec\u200bret"]}}, effect: deny}

Passes:
    output:
      - {id: names, check: {pattern: {any: ['ABC-[0-9]+']}}, effect: deny}
      - {id: words, check: {terms: {any: [секрет, Łódź]}}, effect: deny}

Fix:
    Type it anew.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from policy_engine.cel.nodes import Call, Literal
from policy_engine.lint.finding import Witness
from policy_engine.lint.places import nodes, patterns, schemas
from policy_engine.lint.proof.decided import confirmed
from policy_engine.lint.proof.regexes import sample
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.text import skeleton

__all__ = ["RULE"]

_WORD: Final = re.compile(r"[^\W_]+")
_TEXTS: Final = {"input": "text", "output": "text", "tool_result": "result"}


def _find(subject: Subject) -> Iterator[Found]:
    for place in patterns(subject):
        what = _disguise(place.pattern)
        if what is not None:
            message = f"the pattern has {what}, so it finds only what is written like that"
            witness = None
            if place.use == "check" and place.found is not None:
                witness = _witness(subject, place.found, place.pattern, found=False)
            hint = _BACKSPACE if "\b" in place.pattern else _HINT
            yield Found(place.policy, place.path, message, hint, part=place.part, witness=witness)
    yield from _values(subject)
    for found in subject.conditions:
        check: Any = found.placed.rule.check
        terms = getattr(check, "terms", None)
        for index, text in enumerate(() if terms is None else terms.any):
            what = _disguise(text)
            if what is not None:
                path = (*found.placed.path, "check", "terms", "any", index)
                message = f"the term has {what}"
                witness = _witness(subject, found, text, found=True)
                yield Found(found.policy, path, message, _HINT, witness=witness)


def _values(subject: Subject) -> Iterator[Found]:
    """Go through the texts that values are compared with."""
    for place in schemas(subject):
        listed = place.schema.get("enum")
        for index, value in enumerate(listed if isinstance(listed, list) else ()):
            what = _disguise(value) if isinstance(value, str) else None
            if what is not None:
                path = (*place.path, "enum", index)
                yield Found(place.policy, path, f"this value has {what}", _HINT)
    for found in subject.conditions:
        condition = found.compiled.condition
        for node in nodes(condition.tree) if condition is not None else ():
            if not isinstance(node, Call) or node.function == "matches":
                continue  # a pattern, which is read above
            for part in node.arguments:
                text = part.value if isinstance(part, Literal) else None
                what = _disguise(text) if isinstance(text, str) else None
                if what is not None:
                    where = (part.start, part.end)
                    message = f"this text has {what}"
                    yield Found(found.policy, found.path, message, _HINT, part=where)


def _disguise(text: str) -> str | None:
    """Say what is odd about a text; None where nothing is."""
    for char in text:
        if skeleton(char) == "" or unicodedata.category(char) == "Cf":
            return f"an invisible character (U+{ord(char):04X})"
        plain = unicodedata.normalize("NFKC", char)
        if not char.isascii() and char.isalnum() and plain.isascii() and plain.isalnum():
            return f'"{char}" in the place of "{plain}"'
    for word in _WORD.findall(text):
        if not any(char.isascii() and char.isalpha() for char in word):
            continue
        for char in word:
            bare = skeleton(char)
            if not char.isascii() and bare.isascii() and "LATIN" not in unicodedata.name(char, ""):
                return f'"{char}" of another alphabet in the place of "{bare}"'
    return None


def _witness(
    subject: Subject, placed: PlacedCondition, text: str, *, found: bool
) -> Witness | None:
    """Show what is decided about the text as it reads."""
    place, name = _TEXTS.get(placed.stage), placed.compiled.name
    bare = skeleton(text)
    for scene in scenes(subject, placed)[:1] if place is not None else ():
        for shown in (bare,) if found else sample(bare):
            request = {**scene.plain().request, str(place): shown}
            witness = (
                Witness(request, "found, and nobody sees by what", speaks=(name,))
                if found
                else Witness(request, f'"{name}" does not find it', silent=(name,))
            )
            if confirmed(subject, witness):
                return witness
    return None


_HINT: Final = "type it anew"
_BACKSPACE: Final = r"for the boundary of a word write `\\b`: `\b` in a text is a backspace"

RULE: Final = LintRule("PE136", "disguised-pattern", "warning", __doc__ or "", _find)
