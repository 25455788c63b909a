"""What a plain scalar means: the core schema of YAML 1.2, and nothing of YAML 1.1.

`yes`, `off` and `22:30` are text, `012` is twelve.
"""

import math
import re
from typing import Final, TypeAlias

__all__ = ["Scalar", "resolve"]

Scalar: TypeAlias = str | int | float | bool | None

_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS: Final = frozenset("0123456789+-.")
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_BASES: Final = {"0o": 8, "0x": 16}
_MAX_DIGITS: Final = 25
"""More digits than 64 bits have in any base, so `int` never sees a monster."""


def resolve(text: str) -> Scalar:
    """Give a plain scalar its value.

    Raises:
        ValueError: The number cannot be held; the error's text is a clause for a message.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError("is too large a number")
        return number
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("is not a finite number")
    return text


def _integer(text: str) -> int:
    base = _BASES.get(text[:2], 10)
    digits = text[2:] if base != 10 else text.lstrip("+-")
    digits = digits.lstrip("0")
    number = int(digits or "0", base) if len(digits) <= _MAX_DIGITS else 1 << 64
    if text[0] == "-":
        number = -number
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError("does not fit into 64 bits")
    return number
