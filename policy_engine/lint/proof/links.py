"""What the size of a text, or its other case, says of the text itself.

`size(x)`, `x.lowerAscii()` and their like are values of their own wherever they are tested. Here
what is known of them is held against what is known of the text that they are made of.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final, TypeAlias

from policy_engine.lint.proof.box import Box
from policy_engine.lint.proof.formula import Term
from policy_engine.lint.proof.values import Values

__all__ = ["CHANGES", "are_torn"]

Base: TypeAlias = Callable[[Term], Values]
_FEW: Final = 128
"""So many texts are tried."""
_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
_UPPER: Final = str.maketrans(ascii_lowercase, ascii_uppercase)
CHANGES: Final[Mapping[str, Callable[[str], Any]]] = {
    "size": len,
    "lowerAscii": lambda text: text.translate(_LOWER),
    "upperAscii": lambda text: text.translate(_UPPER),
    "trim": str.strip,
}
"""A function of texts -> what it makes of one."""
_CASES: Final = frozenset({"lowerAscii", "upperAscii"})
_ENDS: Final = {
    "prefix": "^(?s:{}.*)$",
    "suffix": "^(?s:.*{})$",
    "contains": "{}",
    "equals": "^{}$",
}


def are_torn(known: Mapping[Term, Values], base: Base) -> bool:
    """Whether what is known of texts and of what is made of them certainly is not so of any.

    Args:
        known: What values may be, by what is read.
        base: What they may be before anything is tested.
    """
    made: dict[Term, list[tuple[str, Values]]] = {}
    for term, values in known.items():
        if term[0] in CHANGES and term[1] not in CHANGES:
            made.setdefault(term[1:], []).append((term[0], values))
    return any(
        _is_torn((known.get(text) or base(text)).copy(), changed) for text, changed in made.items()
    )


def _is_torn(texts: Values, changed: list[tuple[str, Values]]) -> bool:
    if texts.is_absent:
        return True
    listed = texts.listed(_FEW)
    if listed is not None:
        return not any(
            all(
                not isinstance(text, str) or values.admits(CHANGES[name](text))
                for name, values in changed
            )
            for text in listed
        )
    for name, values in changed:
        if name == "size":
            (low, _), (high, _) = values.lowest, values.highest
            texts.limit(low, high)
        elif name in _CASES and len(values.boxes) == 1:
            for piece, holds in _said(values.boxes[0]):
                if CHANGES[name](piece[1]) == piece[1]:
                    texts.test("matches", _any_case(piece, name), holds=holds)
    return texts.is_empty


def _said(box: Box) -> Iterator[tuple[tuple[str, str], bool]]:
    """Go through the pieces of a text in one case that are told apart."""
    yield from ((piece, True) for piece in box.met if piece[0] in _ENDS)
    yield from ((piece, False) for piece in box.unmet if piece[0] in _ENDS)
    yield from ((("equals", text), False) for text in box.excluded if isinstance(text, str))
    if box.chosen is not None and len(box.chosen) == 1 and isinstance(box.chosen[0], str):
        yield ("equals", box.chosen[0]), True


def _any_case(piece: tuple[str, str], name: str) -> str:
    """Return a pattern of the texts of which one case has a piece."""
    kind, text = piece
    other = CHANGES["upperAscii" if name == "lowerAscii" else "lowerAscii"]
    letters = (
        re.escape(letter) if other(letter) == letter else f"[{letter}{other(letter)}]"
        for letter in text
    )
    return _ENDS[kind].format("".join(letters))
