r"""Texts as they read where they are decoded: JSON writes `a` as `\u0061`, JSON in JSON twice so.

Theory of operation. A model reads `\u0061dmin` as `admin`, and so does what parses the text it
stands in. So a text is judged as it stands and as it reads with the escapes of JSON and of
programs undone; and once more while that still changes it, because texts are put into texts.
Each undoing is one pass from left to right, whatever the text is (nothing is parsed, so nothing
nests), and notes where each character came from: what a rule replaces in a reading is replaced
in the text where it stands, which leaves JSON what it was.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.text.pointer import escape
from policy_engine.text.redact import Redaction, RedactionLike

__all__ = ["Reading", "reading_as_json", "readings"]

_MOST: Final = 4
"""How often a text is decoded: what is packed deeper is read by nobody."""
_DEEPEST: Final = 64
_ESCAPE: Final = re.compile(
    r"""\\(?:
        (?P<plain>["'\\/bfnrt])
      | u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})
      | u(?P<four>[0-9a-fA-F]{4})
      | U(?P<eight>[0-9a-fA-F]{8})
      | x(?P<two>[0-9a-fA-F]{2})
    )""",
    re.VERBOSE,
)
_PLAIN: Final[Mapping[str, str]] = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_OPENING: Final = ("{", "[", '"')
"""How JSON begins that has escapes in it."""
_UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for half of a character, and for none."""


class _Places:
    """Where the characters of a decoded text stood before."""

    def __init__(self) -> None:
        self._at = [0]
        self._stood = [0]

    def note(self, at: int, stood: int) -> None:
        """Note that from here on the characters stood there, one after another."""
        if self._at[-1] == at:
            self._stood[-1] = stood
            return
        self._at.append(at)
        self._stood.append(stood)

    def __getitem__(self, at: int) -> int:
        """Return where a character stood, or the end of the one before it."""
        number = bisect_right(self._at, at) - 1
        return self._stood[number] + at - self._at[number]


@dataclass(frozen=True, slots=True)
class Reading:
    """A value as it reads where its texts are decoded."""

    value: Any
    places: Mapping[str, tuple[_Places, ...]]
    """JSON Pointer of a text -> how to get back to it, one decoding after another."""

    def placed(self, redactions: Iterable[RedactionLike]) -> list[Redaction]:
        """Return redactions of the reading as redactions of the value."""
        found = []
        for redaction in redactions:
            start, end = redaction.start, redaction.end
            for places in self.places.get(redaction.pointer, ()):
                start, end = places[start], places[end]
            found.append(Redaction(redaction.pointer, start, end, redaction.replacement))
        return found


def readings(value: Any, *, of_json: bool = False) -> Iterator[Reading]:
    """Go through what a text, or each text in a JSON value, reads as; nothing where that is it.

    Args:
        value: The text or value.
        of_json: Whether texts are decoded that look like JSON, and no others: an argument may be
            a path or an expression, in which a backslash is a backslash.
    """
    if not _has_escape(value, _DEEPEST):
        return
    known: dict[str, tuple[_Places, ...]] = {}
    for _ in range(_MOST):
        walk = _Walk(_OPENING if of_json else ("",), _character)
        value = walk.read(value, "", _DEEPEST)
        if not walk.found:
            return
        # The newest decoding is undone first.
        known |= {
            pointer: (places, *known.get(pointer, ())) for pointer, places in walk.found.items()
        }
        yield Reading(value, dict(known))


def _has_escape(value: Any, depth: int) -> bool:
    """Whether a text in a value may be decoded; most have nothing to decode."""
    if isinstance(value, str):
        return "\\" in value
    if depth and isinstance(value, Mapping):
        value = value.values()
    elif not (depth and isinstance(value, list | tuple)):
        return False
    return any(_has_escape(item, depth - 1) for item in value)


def reading_as_json(value: Any) -> Reading:
    """Return how a value reads where each text that is JSON has to stay it."""
    walk = _Walk(("",), _harmless)
    read = walk.read(value, "", _DEEPEST)
    return Reading(read, {pointer: (places,) for pointer, places in walk.found.items()})


class _Walk:
    """Decodes the texts of a value once, and notes those that this changes."""

    def __init__(
        self, opening: tuple[str, ...], decode: Callable[[re.Match[str]], str | None]
    ) -> None:
        self.found: dict[str, _Places] = {}
        self._opening = opening
        self._decode = decode

    def read(self, value: Any, pointer: str, depth: int) -> Any:
        """Return the value as it reads."""
        if isinstance(value, str):
            if "\\" not in value or not value.lstrip().startswith(self._opening):
                return value
            places = _Places()
            read = self._text(value, places)
            if read != value:
                self.found[pointer] = places
            return read
        if depth and isinstance(value, Mapping):
            return {
                name: self.read(item, f"{pointer}/{escape(str(name))}", depth - 1)
                for name, item in value.items()
            }
        if depth and isinstance(value, list | tuple):
            return [
                self.read(item, f"{pointer}/{index}", depth - 1) for index, item in enumerate(value)
            ]
        return value

    def _text(self, text: str, places: _Places) -> str:
        pieces: list[str] = []
        at = done = 0
        for escaped in _ESCAPE.finditer(text):
            character = self._decode(escaped)
            if character is None:
                continue
            start, end = escaped.span()
            pieces += (text[done:start], character)
            at += start - done
            places.note(at, start)
            at += 1
            places.note(at, end)
            done = end
        pieces.append(text[done:])
        return "".join(pieces)


def _character(escaped: re.Match[str]) -> str:
    """Return what an escape stands for: one character."""
    plain = escaped["plain"]
    if plain is not None:
        return _PLAIN.get(plain, plain)
    if escaped["high"] is not None:
        pair = int(escaped["high"], 16), int(escaped["low"], 16)
        return chr(0x10000 + ((pair[0] - 0xD800) << 10) + pair[1] - 0xDC00)
    number = int(escaped["four"] or escaped["eight"] or escaped["two"], 16)
    is_known = number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if is_known else _UNKNOWN


def _harmless(escaped: re.Match[str]) -> str | None:
    """Return what may stand in the text of JSON in place of an escape; None where nothing may."""
    character = _character(escaped)
    if character == "\\":
        return None
    return "'" if character == '"' else max(character, " ")
