"""Text of an expression -> tokens."""

from collections.abc import Mapping
from math import isinf
from types import MappingProxyType
from typing import NamedTuple

from policy_engine.cel.problems import ExpressionError, Problem

__all__ = ["Token", "syntax_error", "tokenize"]

_SPACE = frozenset(" \t\n\r\f")
_NAME_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdefABCDEF")
_OCTAL = frozenset("01234567")
_NAME = _NAME_START | _DIGITS
_QUOTED_NAME = _NAME | frozenset(".-/ ")
_TWO = frozenset({"&&", "||", "==", "!=", "<=", ">="})
_ONE = frozenset("+-*/%<>!?:.,()[]{}")
_PREFIXES = frozenset({"r", "b", "rb", "br"})
_ESCAPES: Mapping[str, str] = MappingProxyType(
    {
        "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
        "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
    }
)  # fmt: skip
_CODED: Mapping[str, int] = MappingProxyType({"x": 2, "X": 2, "u": 4, "U": 8})
_LAST_CODE_POINT = 0x10FFFF


class Token(NamedTuple):
    """One word of an expression."""

    kind: str
    """An operator itself, or name, quoted, int, uint, double, string, bytes, end."""
    start: int
    end: int
    value: str | int | float | bytes


def syntax_error(
    text: str, message: str, start: int, end: int, hint: str | None = None
) -> ExpressionError:
    """Return the error for one place that cannot be parsed."""
    return ExpressionError(text, [Problem("syntax", message, start, max(1, end - start), hint)])


def tokenize(text: str) -> list[Token]:
    """Split an expression into tokens, the last of which has the kind `end`.

    Raises:
        ExpressionError: A character, number or string is none of the language.
    """
    tokens: list[Token] = []
    position, size = 0, len(text)
    while position < size:
        char = text[position]
        if char in _SPACE:
            position += 1
            continue
        if char == "/" and text.startswith("//", position):
            newline = text.find("\n", position)
            position = size if newline < 0 else newline
            continue
        token = _token(text, position, char)
        tokens.append(token)
        position = token.end
    tokens.append(Token("end", size, size, ""))
    return tokens


def _token(text: str, position: int, char: str) -> Token:
    if char in _NAME_START:
        return _name_or_string(text, position)
    if char in _DIGITS or (char == "." and text[position + 1 : position + 2] in _DIGITS):
        return _number(text, position)
    if char in "\"'":
        return _string(text, position, position, "")
    if char == "`":
        return _quoted_name(text, position)
    two = text[position : position + 2]
    if two in _TWO:
        return Token(two, position, position + 2, two)
    if char in _ONE:
        return Token(char, position, position + 1, char)
    hint = None
    if char in "&|=":
        doubled = "==" if char == "=" else char * 2
        hint = f'write "{doubled}"'
    raise syntax_error(text, f'"{char}" cannot stand here', position, position + 1, hint)


def _run(text: str, position: int, members: frozenset[str]) -> int:
    size = len(text)
    while position < size and text[position] in members:
        position += 1
    return position


def _name_or_string(text: str, start: int) -> Token:
    end = _run(text, start, _NAME)
    word = text[start:end]
    if text[end : end + 1] in ("'", '"') and word.lower() in _PREFIXES:
        return _string(text, start, end, word.lower())
    return Token("name", start, end, word)


def _quoted_name(text: str, start: int) -> Token:
    end = _run(text, start + 1, _QUOTED_NAME)
    if end == start + 1 or text[end : end + 1] != "`":
        raise syntax_error(text, "a name in backquotes is not closed", start, end)
    return Token("quoted", start, end + 1, text[start + 1 : end])


def _number(text: str, start: int) -> Token:
    if text[start : start + 2] in ("0x", "0X") and text[start + 2 : start + 3] in _HEX:
        end = _run(text, start + 2, _HEX)
        return _integer(text, start, end, int(text[start + 2 : end], 16))
    end = _run(text, start, _DIGITS)
    is_double = False
    if text[end : end + 1] == "." and text[end + 1 : end + 2] in _DIGITS:
        is_double = True
        end = _run(text, end + 1, _DIGITS)
    if text[end : end + 1] in ("e", "E"):
        digits = end + 2 if text[end + 1 : end + 2] in ("+", "-") else end + 1
        if text[digits : digits + 1] in _DIGITS:
            is_double = True
            end = _run(text, digits, _DIGITS)
    if is_double:
        value = float(text[start:end])
        if isinf(value):
            raise syntax_error(text, f'"{text[start:end]}" is too large a number', start, end)
        return _ended(text, Token("double", start, end, value))
    if end - start > 20:
        raise syntax_error(text, f'"{text[start:end]}" is too large an integer', start, end)
    return _integer(text, start, end, int(text[start:end]))


def _integer(text: str, start: int, end: int, value: int) -> Token:
    if text[end : end + 1] in ("u", "U"):
        return _ended(text, Token("uint", start, end + 1, value))
    return _ended(text, Token("int", start, end, value))


def _ended(text: str, token: Token) -> Token:
    if text[token.end : token.end + 1] in _NAME:
        end = _run(text, token.end, _NAME)
        word = text[token.start : end]
        raise syntax_error(text, f'"{word}" is not a number', token.start, end)
    return token


def _string(text: str, start: int, quote_at: int, prefix: str) -> Token:
    quote = text[quote_at]
    is_long = text.startswith(quote * 3, quote_at)
    closing = quote * 3 if is_long else quote
    position = quote_at + len(closing)
    raw = "r" in prefix
    binary = "b" in prefix
    parts: list[str | bytes] = []
    while not text.startswith(closing, position):
        char = text[position : position + 1]
        if char == "" or (char in "\n\r" and not is_long):
            raise syntax_error(text, "a string is not closed", start, position)
        if char == "\\" and not raw:
            part, position = _escape(text, position, binary=binary)
            parts.append(part)
        else:
            parts.append(char)
            position += 1
    end = position + len(closing)
    if binary:
        return Token("bytes", start, end, _join_bytes(text, start, parts))
    return Token("string", start, end, "".join(part for part in parts if isinstance(part, str)))


def _join_bytes(text: str, start: int, parts: list[str | bytes]) -> bytes:
    try:
        return b"".join(p if isinstance(p, bytes) else p.encode() for p in parts)
    except UnicodeEncodeError:
        raise syntax_error(text, "bytes hold half a surrogate pair", start, start + 1) from None


def _escape(text: str, start: int, *, binary: bool) -> tuple[str | bytes, int]:
    """Read one escape; in bytes, those with a number stand for a byte."""
    char = text[start + 1 : start + 2]
    if char in _ESCAPES:
        return _ESCAPES[char], start + 2
    if char in _CODED and not (binary and char in "uU"):
        end = start + 2 + _CODED[char]
        digits, allowed, base = text[start + 2 : end], _HEX, 16
        wanted = _CODED[char]
    else:
        end = start + 4
        digits, allowed, base = text[start + 1 : end], _OCTAL, 8
        wanted = 3
    if len(digits) != wanted or not allowed.issuperset(digits):
        raise syntax_error(
            text,
            f'"{text[start : start + 2]}" is not an escape',
            start,
            start + 2,
            r'write "\\" for a backslash, or a raw string r"…"',
        )
    code = int(digits, base)
    limit = 0xFF if base == 8 or binary else _LAST_CODE_POINT
    if code > limit or (not binary and 0xD800 <= code <= 0xDFFF):
        raise syntax_error(text, f'"{text[start:end]}" is no character', start, end)
    return (bytes((code,)) if binary else chr(code)), end
