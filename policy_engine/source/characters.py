"""Characters that make a text read as something that it is not."""

import re
import unicodedata
from typing import Final

__all__ = ["BIDI", "UNREADABLE", "describe", "doubtful_name"]

BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Controls that reorder what a reader sees."""

UNREADABLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"
)
"""What YAML 1.2 does not print, and line breaks that editors and parsers count differently."""

_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0]"
)
"""Letters and marks without a shape of their own; `str.isprintable` calls them printable."""

_WORD: Final = re.compile(r"[^\W\d_]+")
_LATIN: Final = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a]")
_GREEK: Final = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_CYRILLIC: Final = re.compile("[\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f]")
_SCRIPTS: Final = (("Latin", _LATIN), ("Greek", _GREEK), ("Cyrillic", _CYRILLIC))


def describe(character: str) -> str:
    """Name a character that cannot be shown: `U+200B ZERO WIDTH SPACE`."""
    name = unicodedata.name(character, "a control character")
    return f"U+{ord(character):04X} {name}"


def doubtful_name(name: str) -> str | None:
    """Tell why a name may not be what it looks like, or None.

    Returns:
        A clause for a message, such as `holds U+200B ZERO WIDTH SPACE`.
    """
    if not name.isprintable():
        culprit = next(character for character in name if not character.isprintable())
        return f"holds {describe(culprit)}"
    if name.isascii():
        return None
    if (match := _INVISIBLE.search(name)) is not None:
        return f"holds {describe(match[0])}"
    for word in _WORD.findall(name):
        scripts = [script for script, letters in _SCRIPTS if letters.search(word)]
        if len(scripts) > 1:
            return f"mixes {scripts[0]} and {scripts[1]} letters in one word"
    return None
