"""Functions on strings; positions count code points."""

from typing import Final

from policy_engine.cel.meter import Meter
from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import LISTS, as_string, elements
from policy_engine.cel.values import List

__all__ = [
    "char_at",
    "contains_text",
    "ends_with",
    "index_of",
    "join",
    "last_index_of",
    "lower_ascii",
    "quote",
    "replace",
    "reverse",
    "split",
    "starts_with",
    "substring",
    "trim",
    "upper_ascii",
]

_UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_LOWER: Final = str.maketrans(_UPPER, _UPPER.lower())
_TO_UPPER: Final = str.maketrans(_UPPER.lower(), _UPPER)
_WHITE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_QUOTED: Final = str.maketrans(
    {
        "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
        "\\": "\\\\", '"': '\\"',
    }
)  # fmt: skip


def starts_with(text: object, prefix: object) -> bool:
    """Say whether a string starts with another."""
    return as_string(text).startswith(as_string(prefix))


def ends_with(text: object, suffix: object) -> bool:
    """Say whether a string ends with another."""
    return as_string(text).endswith(as_string(suffix))


def contains_text(text: object, part: object) -> bool:
    """Say whether a string holds another."""
    return as_string(part) in as_string(text)


def _position(value: object, limit: int) -> int:
    if type(value) is not int:
        raise EvaluationError("not a position")
    if not 0 <= value <= limit:
        raise EvaluationError("a position out of range")
    return value


def char_at(text: object, position: object) -> str:
    """Return the character at a position; empty right behind the last."""
    whole = as_string(text)
    at = _position(position, len(whole))
    return whole[at : at + 1]


def index_of(text: object, part: object, start: object = 0) -> int:
    """Return where a part first stands at or after a position, or -1."""
    whole, wanted = as_string(text), as_string(part)
    at = _position(start, len(whole))
    return whole.find(wanted, at)


def last_index_of(text: object, part: object, start: object = None) -> int:
    """Return where a part last starts, at a position or before it, or -1."""
    whole, wanted = as_string(text), as_string(part)
    at = len(whole) if start is None else _position(start, len(whole))
    return whole.rfind(wanted, 0, at + len(wanted))


def lower_ascii(meter: Meter, text: object) -> str:
    """Return a string with its ASCII letters in lower case."""
    whole = as_string(text)
    meter.grow(len(whole))
    return whole.lower() if whole.isascii() else whole.translate(_TO_LOWER)


def upper_ascii(meter: Meter, text: object) -> str:
    """Return a string with its ASCII letters in upper case."""
    whole = as_string(text)
    meter.grow(len(whole))
    return whole.upper() if whole.isascii() else whole.translate(_TO_UPPER)


def replace(meter: Meter, text: object, part: object, other: object, limit: object = -1) -> str:
    """Return a string with a part replaced, everywhere or so many times."""
    whole, old, new = as_string(text), as_string(part), as_string(other)
    if type(limit) is not int:
        raise EvaluationError("not a count")
    count = whole.count(old)
    if 0 <= limit < count:
        count = limit
    meter.grow(len(whole) + count * len(new))
    return whole.replace(old, new, max(limit, -1))


def split(meter: Meter, text: object, separator: object, limit: object = -1) -> List:
    """Return the parts between separators, all or so many."""
    whole, mark = as_string(text), as_string(separator)
    if type(limit) is not int:
        raise EvaluationError("not a count")
    meter.grow(len(whole) + (len(whole) if mark == "" else whole.count(mark)) + 1)
    if limit == 0:
        return List()
    if mark == "" and whole != "":
        if limit < 0 or limit >= len(whole):
            return List(whole)
        return List((*whole[: limit - 1], whole[limit - 1 :]))
    return List(whole.split(mark, limit - 1 if limit > 0 else -1) if whole else (whole,))


def substring(meter: Meter, text: object, start: object, end: object = None) -> str:
    """Return the characters from a position up to another or the end."""
    whole = as_string(text)
    first = _position(start, len(whole))
    last = len(whole) if end is None else _position(end, len(whole))
    if first > last:
        raise EvaluationError("a substring that ends before it starts")
    meter.grow(last - first)
    return whole[first:last]


def trim(meter: Meter, text: object) -> str:
    """Return a string without white space around it."""
    whole = as_string(text)
    meter.grow(len(whole))
    return whole.strip(_WHITE)


def join(meter: Meter, parts: object, separator: object = "") -> str:
    """Return the strings of a list in one, with a separator between them."""
    if type(parts) not in LISTS:
        raise EvaluationError("not a list")
    texts, mark = [as_string(part) for part in elements(parts)], as_string(separator)
    meter.grow(sum(map(len, texts)) + len(mark) * len(texts))
    return mark.join(texts)


def reverse(meter: Meter, text: object) -> str:
    """Return the characters of a string from last to first."""
    whole = as_string(text)
    meter.grow(len(whole))
    return whole[::-1]


def quote(meter: Meter, text: object) -> str:
    """Return a string in quotes with what would not print escaped."""
    whole = as_string(text)
    meter.grow(2 * len(whole) + 2)
    return f'"{whole.translate(_QUOTED)}"'
