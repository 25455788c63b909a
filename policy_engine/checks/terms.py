r"""Words and phrases that may not be said.

What it does:
    Breaks when a text holds one of the listed words or phrases. Disguises are undone first:
    look-alike letters, full-width and invisible characters, strokes. White space in a phrase
    stands for any run of white space.

Why:
    Project names, internal markings and slurs are known by name.

Options (defaults):
    any: the words and phrases.
    match (word): `word` finds whole words only; an end of a phrase that is punctuation, or in
      a script without spaces, needs no boundary. `anywhere` finds them inside of words too.
    case_sensitive (false): whether case matters.

Passes:
    - {terms: {any: [secret]}, text: The secretary called}
    - {terms: {any: [Apollo], case_sensitive: true}, text: the apollo project}
    - {terms: {any: [internal only]}, text: internal use only}

Fails:
    - {terms: {any: [secret]}, text: It is a SECRET.}
    - {terms: {any: [secret]}, text: "It is a \u0455e\u200bcret."}
    - {terms: {any: [secret], match: anywhere}, text: The secretary called}
    - {terms: {any: [internal only]}, text: "internal \n only"}
    - {terms: {any: [secret]}, text: {notes: [a secret]}}
    - {terms: {any: [Straße]}, text: STRASSE}
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from policy_engine.checks.kind import CheckKind, OptionFault, OptionFaults, Options, refuse_unread
from policy_engine.text import (
    Content,
    PatternError,
    Patterns,
    Span,
    confirms,
    skeleton,
    spans,
)

__all__ = ["TERMS", "Terms", "TermsOptions"]

_SPECIAL: Final = re.compile(r"([!-/:-@\[-^`{-~])")

_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul: particles are written on to the word
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x9FFF),  # Chinese, Japanese
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)
"""Scripts in which words are not set apart by spaces."""


class TermsOptions(Options):
    """Words and phrases that may not be said."""

    any: Annotated[list[Annotated[str, Field(strict=True)]], Field(min_length=1)] = Field(
        description="The words and phrases. White space stands for any run of white space."
    )
    match: Literal["word", "anywhere"] = Field(
        "word", description="Find whole words only, or inside of words too."
    )
    case_sensitive: Annotated[bool, Field(strict=True)] = Field(
        False, description="Whether case matters."
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """Breaks when a text holds a listed term."""

    ids: frozenset[int]
    whole_words: bool
    kind: str = "terms"
    entity: str = "TERM"

    def breaks(self, content: Content, *, unread_allowed: bool = False) -> str | None:
        """Tell whether a text holds a term."""
        found = content.finds(self.ids)
        if found and (
            not self.whole_words or any(confirms(n, content, _stands_alone) for n in found)
        ):
            return "terms"
        refuse_unread(content, allowed=unread_allowed)
        return None

    def spans(self, content: Content) -> list[Span]:
        """Find the terms."""
        accept = _stands_alone if self.whole_words else None
        return spans(self.ids, content, entity=self.entity, accept=accept)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Tell whether neither end of a match lies inside of a word."""
    inside = (start > 0 and _in_word(text[start - 1]) and _in_word(text[start])) or (
        end < len(text) and _in_word(text[end - 1]) and _in_word(text[end])
    )
    return not inside


def _in_word(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char == "_"
    if any(first <= ord(char) <= last for first, last in _UNSPACED):
        return False
    return char.isalnum() or unicodedata.category(char)[0] == "M"


def _forms(term: str, *, caseless: bool) -> list[str]:
    """List what a term is searched for as: as written, then as folding leaves it."""
    forms = [term]
    if not _is_homograph(term):
        forms.append(skeleton(term))
    if caseless:
        forms.append(forms[-1].casefold())
    return list(dict.fromkeys(" ".join(form.split()) for form in forms))


def _is_homograph(term: str) -> bool:
    """Tell whether a word of another script passes as a whole for one in ASCII."""
    plain = unicodedata.normalize("NFKC", term).casefold()
    own = not plain.isascii() and not any(char.isascii() and char.isalpha() for char in plain)
    bare = skeleton(term)
    return own and bare != "" and bare.isascii()


def _expression(forms: list[str], *, whole_words: bool) -> str:
    """Write the forms of a term as one pattern."""
    written = []
    for form in filter(None, forms):
        body = r"\s+".join(_SPECIAL.sub(r"\\\1", word) for word in form.split(" "))
        if whole_words:
            # Only a hint to the scanner, for ASCII; `_stands_alone` decides.
            body = (r"\b" if _is_ascii_word(form[0]) else "") + body
            body += r"\b" if _is_ascii_word(form[-1]) else ""
        written.append(body)
    return "|".join(written)


def _is_ascii_word(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


def _build(options: TermsOptions, patterns: Patterns) -> Terms:
    caseless = not options.case_sensitive
    whole_words = options.match == "word"
    faults: list[OptionFault] = []
    ids: set[int] = set()
    seen: dict[str, str] = {}
    for index, term in enumerate(options.any):
        place = ("any", index)
        forms = _forms(term, caseless=caseless)
        key = forms[-1]
        if not key:
            faults.append(OptionFault(place, "an empty term is in every text"))
            continue
        if key in seen:
            message = f'"{term}" is the same term as "{seen[key]}"'
            faults.append(OptionFault(place, message, "remove one of them", "PE010"))
            continue
        seen[key] = term
        expression = _expression(forms, whole_words=whole_words)
        try:
            ids.add(patterns.add(expression, caseless=caseless))
        except PatternError as error:
            message = f'"{term}" cannot be searched for: {error.message}'
            faults.append(OptionFault(place, message, code="PE016"))
    if faults:
        raise OptionFaults(faults)
    return Terms(frozenset(ids), whole_words)


TERMS: Final = CheckKind("terms", TermsOptions, finds_spans=True, manual=__doc__, build=_build)
