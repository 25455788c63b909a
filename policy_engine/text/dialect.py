r"""What a pattern is written in, and how each engine must be told the same thing.

Patterns are those of RE2. Where another engine reads a construct differently (`$` before a last
newline, vertical tabs in `\s`), the construct is rewritten; what cannot be rewritten keeps the
pattern in RE2.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["needs_backtracking", "never_matches", "to_automaton", "to_backtracking"]

_PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ")
_ESCAPES: Final = frozenset("dDbBAzntfrax")
_CLASS_ESCAPES: Final = frozenset("dntfrax")
_WORD: Final = "0-9A-Za-z_"
# Written out, a class ignores case alike everywhere: `(?i)[a-z]` has the long s in it.
_REWRITTEN: Final = {
    r"\s": r"[\t\n\f\r ]",
    r"\S": r"[^\t\n\f\r ]",
    r"\v": r"\x0b",
    r"\w": f"[{_WORD}]",
    r"\W": f"[^{_WORD}]",
}
_REWRITTEN_IN_CLASS: Final = {
    r"\s": r"\t\n\f\r ",
    r"\v": r"\x0b",
    r"\w": _WORD,
    "[:alnum:]": "0-9A-Za-z",
    "[:alpha:]": "A-Za-z",
    "[:lower:]": "a-z",
    "[:upper:]": "A-Z",
    "[:word:]": _WORD,
}
_LOOKING: Final = ("(?=", "(?!", "(?<=", "(?<!", "(?>", "(?(", "(?P=", "(?|", "(?R")
_MAY_BACKTRACK: Final = re.compile(r"\(\?|\\[1-9gk]|[*+?}]\+")
"""What every expression holds that backtracks; most hold none of it and need no closer look."""
_MAY_STAND_AT_END: Final = re.compile(r"[$^]|\\[Az]")
"""Likewise for the ends of a text."""
_LAST_OF_OLD_FOLDS: Final = "\u052f"
"""Up to here (Latin, Greek, Cyrillic) every engine knows the letters' cases."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    in_class: bool
    kind: str
    """`escape`, `group` (an opening parenthesis with its `?…`), `class` (a bracket, or a
    named class within), `repeat` or `plain`."""


def needs_backtracking(expression: str) -> bool:
    """Tell whether an expression looks around, refers back or refuses to give back."""
    if _MAY_BACKTRACK.search(expression) is None:
        return False
    previous = _Token("", in_class=False, kind="plain")
    for token in _tokens(expression):
        if token.in_class:
            previous = token
            continue
        if token.kind == "group" and token.text.startswith(_LOOKING):
            return True
        if token.kind == "escape" and token.text[1:2] in set("123456789gk"):
            return True
        if token.text == "+" and previous.kind == "repeat":
            return True
        previous = token
    return False


def never_matches(expression: str) -> bool:
    """Tell whether something must stand behind the end of the text, or before its beginning.

    Only what stands outside of groups and alternatives is looked at.
    """
    if _MAY_STAND_AT_END.search(expression) is None:
        return False
    if needs_backtracking(expression) or "\\Q" in expression:
        return False
    places: list[str] = []
    depth = 0
    previous = _Token("", in_class=False, kind="plain")
    for token in _tokens(expression):
        if "m" in _flags(token.text) or (token.text == "|" and depth == 0 and not token.in_class):
            return False
        if depth == 0 and token.kind == "repeat" and previous.kind != "repeat":
            if places and (token.text in {"*", "?"} or token.text.startswith("{0")):
                places[-1] = ""
        elif depth == 0 and (not token.in_class or token.text in {"[", "[^"}):
            places.append(_stands_for(token))
        if token.kind in {"plain", "group"} and not token.in_class:
            opens = token.text.startswith("(") and not token.text.endswith(")")
            depth += opens - (token.text == ")")
        previous = token
    signs = "".join(places)
    behind, before = signs.partition("$")[2], signs.rpartition("^")[0]
    return "x" in behind or "x" in before


def _stands_for(token: _Token) -> str:
    """Return ^ and $ for the ends of a text, x for one character, and nothing for the rest."""
    if token.kind in {"group", "repeat"}:
        return ""
    if token.kind == "escape" and not token.in_class:
        return {"A": "^", "z": "$", "b": "", "B": ""}.get(token.text[1:2], "x")
    if token.text in {"(", ")"} and not token.in_class:
        return ""
    return token.text if token.text in {"^", "$"} and not token.in_class else "x"


def to_automaton(expression: str, *, caseless: bool) -> str | None:
    """Rewrite an expression of RE2 for Hyperscan; None where the two would differ."""
    written = []
    for token in _tokens(expression):
        text = _for_automaton(token)
        if text is None:
            return None
        written.append(text)
    rewritten = "".join(written)
    if rewritten.isascii():
        return rewritten
    if "(?i" in rewritten or (caseless and not _folds_alike(rewritten)):
        return None
    return rewritten


def to_backtracking(expression: str) -> str:
    """Rewrite an expression so that `$` is the end of the text in a backtracking engine."""
    tokens = list(_tokens(expression))
    lines = any(token.kind == "group" and "m" in _flags(token.text) for token in tokens)
    written = []
    for token in tokens:
        if (token.text == "$" and token.kind == "plain" and not lines) or token.text == "\\z":
            written.append(token.text if token.in_class else r"\Z")
        else:
            written.append(token.text)
    return "".join(written)


def _for_automaton(token: _Token) -> str | None:
    text = token.text
    if token.kind == "escape":
        if token.in_class:
            known = text[1:2] in _CLASS_ESCAPES or text[1:2] in _PUNCTUATION
            return _REWRITTEN_IN_CLASS.get(text, text if known else None)
        known = text[1:2] in _ESCAPES or text[1:2] in _PUNCTUATION
        return _REWRITTEN.get(text, text if known else None)
    if token.kind == "group":
        named = text.startswith(("(?P<", "(?<"))
        return text if named or _flags(text) <= frozenset("is-") else None
    if token.kind == "plain" and not token.in_class:
        if text == "$":
            return r"\z"
        if text == "{":
            return r"\{"
    if token.kind == "plain" and token.in_class and text == "[":
        return r"\["
    if token.kind == "class" and text.startswith("[:"):
        return None if text.startswith("[:^") else _REWRITTEN_IN_CLASS.get(text, text)
    return text


def _flags(group: str) -> frozenset[str]:
    """Read the flags of an opening parenthesis, such as `(?i)` or `(?s-m:`."""
    if not group.startswith("(?") or group.startswith(("(?P", "(?<", *_LOOKING)):
        return frozenset()
    return frozenset(group[2:].rstrip(":)"))


def _folds_alike(expression: str) -> bool:
    in_class = False
    for token in _tokens(expression):
        in_class = token.in_class
        if not token.text.isascii():
            cased = token.text.lower() != token.text or token.text.upper() != token.text
            if in_class or (cased and token.text > _LAST_OF_OLD_FOLDS):
                return False
    return True


def _tokens(expression: str) -> Iterator[_Token]:
    at = 0
    while at < len(expression):
        if expression[at] == "[":
            end = _class_end(expression, at)
            yield from _class_tokens(expression, at, end)
        else:
            end, kind = _one(expression, at)
            yield _Token(expression[at:end], in_class=False, kind=kind)
        at = end


def _one(expression: str, at: int) -> tuple[int, str]:
    """Read one token outside a class: its end and its kind."""
    char = expression[at]
    if char == "\\":
        return _escape_end(expression, at), "escape"
    if expression.startswith("(?", at):
        end = at + 2
        if expression.startswith(("(?P", "(?<"), at) or expression.startswith(_LOOKING, at):
            end = min(at + 4, len(expression))
        else:
            while end < len(expression) and expression[end] in "imsUxaL-":
                end += 1
            end += expression[end : end + 1] in {":", ")"}
        return end, "group"
    if char in "*+?":
        return at + 1, "repeat"
    if char == "{":
        close = expression.find("}", at)
        counts = expression[at + 1 : close] if close > 0 else ""
        least, comma, most = counts.partition(",")
        if least.isdecimal() and (not comma or not most or most.isdecimal()):
            return close + 1, "repeat"
    return at + 1, "plain"


def _escape_end(expression: str, at: int) -> int:
    """Find the end of an escape; braces belong to it."""
    end = at + 2
    if expression[at + 1 : at + 2] in {"x", "p", "P"} and expression[end : end + 1] == "{":
        close = expression.find("}", end)
        return close + 1 if close > 0 else end
    return end


def _class_end(expression: str, start: int) -> int:
    """Find the end of a class; a bracket that comes first in it is itself."""
    at = start + 1
    at += expression[at : at + 1] == "^"
    at += expression[at : at + 1] == "]"
    while at < len(expression) and expression[at] != "]":
        if expression[at] == "\\":
            at = _escape_end(expression, at)
        elif expression.startswith("[:", at) and expression.find(":]", at) > 0:
            at = expression.find(":]", at) + 2
        else:
            at += 1
    return at + 1


def _class_tokens(expression: str, start: int, end: int) -> Iterator[_Token]:
    at = start + 1 + (expression[start + 1 : start + 2] == "^")
    yield _Token(expression[start:at], in_class=True, kind="class")
    if expression[at : at + 1] == "]" and at < end - 1:
        yield _Token(r"\]", in_class=True, kind="escape")
        at += 1
    while at < end - 1:
        if expression[at] == "\\":
            after, kind = _escape_end(expression, at), "escape"
        elif expression.startswith("[:", at) and 0 < expression.find(":]", at) < end:
            after, kind = expression.find(":]", at) + 2, "class"
        else:
            after, kind = at + 1, "plain"
        yield _Token(expression[at:after], in_class=True, kind=kind)
        at = after
    yield _Token(expression[at:end], in_class=True, kind="class")
