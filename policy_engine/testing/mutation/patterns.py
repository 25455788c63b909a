"""Regular expressions that match more, or less, than they should."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["loosened_pattern", "lost", "single_branches", "spaced", "tightened_pattern"]

_TOKEN: Final = re.compile(
    r"""(?P<set>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])
      | (?P<kind>\\(?:[dwsDWS]|[pP](?:\{\^?\w+\}|\w)))
      | (?P<edge>\\[bBAzZ]|[\^$])
      | (?P<sign>\\[^\w\s])
      | (?P<escape>\\(?:x\{\w+\}|x\w\w|.))
      | (?P<count>\{\d+(?:,\d*)?\})
      | (?P<flags>\(\?[a-z]+\))
      | (?P<look>\(\?<?[=!])
      | (?P<open>\((?:\?(?:P?<\w+>|[a-z]*:))?)
      | (?P<close>\))
      | (?P<bar>\|)
      | (?P<times>[+*?])
      | (?P<any>\.)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_MEMBER: Final = re.compile(
    r"""\[:\^?\w+:\] | \\[pP](?:\{\^?\w+\}|\w) | (?:\\x\w\w|\\.|.)(?:-(?:\\x\w\w|\\.|[^\]\\]))?""",
    re.VERBOSE | re.DOTALL,
)
_FLAGS: Final = re.compile(r"\(\?[a-z]+\)")
_PLAIN: Final = {one: f"\\{one}" for one in "^-]"}
"""What means something else in some places of a set -> the same anywhere."""
_COUNTED: Final = frozenset({"count", "times"})
_MOST: Final = 1000
"""The largest count of a pattern."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern: characters, a set, a count, and so on."""

    kind: str
    start: int
    end: int
    text: str

    def put(self, pattern: str, new: str) -> str:
        """Return the pattern with something else in place of this part."""
        return f"{pattern[: self.start]}{new}{pattern[self.end :]}"

    def changed(self, pattern: str, new: str) -> tuple[str, str]:
        """Return the same, and what is different."""
        if not new:
            return self.put(pattern, new), f"`{self.text}`{self._at} is gone"
        return self.put(pattern, new), f"`{self.text}` is `{new}`{self._at}"

    @property
    def _at(self) -> str:
        return f" at character {self.start + 1} of the pattern"


def loosened_pattern(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield patterns that match more in one place, each with what is different."""
    flags = _FLAGS.match(pattern)
    first, last = 0 if flags is None else flags.end(), len(pattern) - 1
    parts = list(_parts(pattern))
    for part in parts:
        if part.kind != "edge" or first == last:
            continue
        if part.start == first and part.text == "^":
            yield part.put(pattern, ""), "the pattern is not held to the start of the text"
        elif part.start == last and part.text == "$":
            yield part.put(pattern, ""), "the pattern is not held to the end of the text"
        else:
            yield part.changed(pattern, "")
    for part in parts:
        for after in _looser(part):
            yield part.changed(pattern, after)


def _looser(part: _Part) -> Iterator[str]:
    """Yield what takes more than a part of a pattern does."""
    match part.kind:
        case "set" | "sign" | "kind":
            yield "."
        case "text":
            yield "." * len(part.text)
        case "count":
            least, comma, most = part.text[1:-1].partition(",")
            if most or not comma:
                yield f"{{{least},}}"
            if int(least) > 0:
                yield f"{{{int(least) - 1},{most if comma else least}}}"
        case "times" if part.text in "+?":
            yield "*"
        case "look":
            yield ""


def tightened_pattern(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield patterns that match less in one place, each with what is different."""
    if pattern.startswith("(?i)"):
        yield pattern[4:], "case matters in the pattern"
    flags = "(?i)" if pattern.startswith("(?i)") else ""
    bare = pattern.removeprefix("(?i)")
    if not bare.startswith(("^", ".*")):
        yield f"{flags}^(?:{bare})", "the pattern is held to the start of the text"
    if not bare.endswith(("$", ".*")) or bare.endswith(("\\$", "\\.*")):
        yield f"{flags}(?:{bare})$", "the pattern is held to the end of the text"
    for start, end, at, text in _branches(pattern):
        what = f"`{text}` at character {at + 1} is not in the pattern"
        yield pattern[:start] + pattern[end:], what
    for part in _parts(pattern):
        for after in _tighter(part):
            yield part.changed(pattern, after)


def _tighter(part: _Part) -> Iterator[str]:
    """Yield what takes less than a part of a pattern does."""
    match part.kind:
        case "set":
            yield from _smaller(part.text)
        case "kind" if part.text == r"\s":
            yield " "
        case "count":
            least, comma, most = part.text[1:-1].partition(",")
            more = int(least) + 1
            if more <= int(most or _MOST):
                yield f"{{{more}{comma}{most}}}"
        case "times":
            yield {"*": "+", "+": "{2,}", "?": "{1}"}[part.text]
        case "look" if part.text[2] == "!":
            yield "(?!.)"


def _smaller(text: str) -> Iterator[str]:
    """Yield a set without one of its members."""
    if text.startswith("[^"):
        return
    members = _members(text)
    for i in range(len(members) if len(members) > 1 else 0):
        rest = (*members[:i], *members[i + 1 :])
        yield f"[{''.join(_PLAIN.get(one, one) for one in rest)}]"


def _members(text: str) -> list[str]:
    """Return what a set is written with: characters, ranges and classes, each once."""
    return list(dict.fromkeys(found[0] for found in _MEMBER.finditer(text[1:-1])))


def lost(before: str, after: str) -> str:
    """Return a pattern of what a tightened pattern may no longer find; it is found by the first."""
    flags = "(?i)" if before.startswith("(?i)") else ""
    bare = before.removeprefix("(?i)")
    if after == f"{flags}(?:{bare})$":
        return f"{flags}(?:{bare}) x"
    for part in _parts(before):
        for smaller in _smaller(part.text) if part.kind == "set" else ():
            if part.put(before, smaller) == after:
                rest = {_PLAIN.get(one, one) for one in _members(smaller)}
                gone = [one for one in _members(part.text) if _PLAIN.get(one, one) not in rest]
                return part.put(before, f"[{''.join(gone)}]") if gone else before
    return before


def _parts(pattern: str) -> Iterator[_Part]:
    """Go through a pattern; plain characters are one part, and so is a look-around."""
    tokens = [(found.lastgroup or "", found) for found in _TOKEN.finditer(pattern)]
    i = 0
    while i < len(tokens):
        kind, found = tokens[i]
        end = i + 1
        if kind == "other":
            while end < len(tokens) and tokens[end][0] == "other":
                end += 1
            if end - i > 1 and end < len(tokens) and tokens[end][0] in _COUNTED:
                end -= 1
            kind = "text"
        elif kind == "look":
            end = _closed(tokens, i)
        elif kind in _COUNTED and end < len(tokens) and tokens[end][1][0] in ("?", "+"):
            end += 1  # what comes after a count is no count: it is as few, or as many, as can be
            yield _Part(kind, found.start(), found.end(), found[0])
            i = end
            continue
        start, stop = found.start(), tokens[end - 1][1].end()
        yield _Part(kind, start, stop, pattern[start:stop])
        i = end


def _closed(tokens: list[tuple[str, re.Match[str]]], first: int) -> int:
    """Return where what a bracket opens is closed."""
    depth = 0
    for i in range(first, len(tokens)):
        depth += (tokens[i][0] in ("open", "look")) - (tokens[i][0] == "close")
        if depth == 0:
            return i + 1
    return len(tokens)


def _branches(pattern: str) -> Iterator[tuple[int, int, int, str]]:
    """Yield the alternatives of a pattern: each with its bar, where it starts, and its text."""
    for starts, end in _groups(pattern):
        for i, (start, stop) in enumerate(_alternatives(starts, end)):
            # With the first alternative goes the bar after it, with any other the one before.
            cut = (start, stop + 1) if i == 0 else (start - 1, stop)
            yield *cut, start, pattern[start:stop]


def single_branches(pattern: str) -> Iterator[str]:
    """Yield a pattern with one alternative only in one of its groups, for each alternative."""
    for starts, end in _groups(pattern):
        for start, stop in _alternatives(starts, end):
            yield pattern[: starts[0]] + pattern[start:stop] + pattern[end:]


def spaced(pattern: str) -> str:
    """Return a pattern with a space wherever it takes any sign."""
    return "".join(" " if token[0] == "." else token[0] for token in _TOKEN.finditer(pattern))


def _groups(pattern: str) -> Iterator[tuple[list[int], int]]:
    """Yield the groups with several alternatives: where each of those starts, and the end."""
    flags = _FLAGS.match(pattern)
    groups: list[list[int]] = [[0 if flags is None else flags.end()]]
    for token in _TOKEN.finditer(pattern, groups[0][0]):
        if token.lastgroup in ("open", "look"):
            groups.append([token.end()])
        elif token.lastgroup == "bar":
            groups[-1].append(token.end())
        elif token.lastgroup == "close" and len(groups) > 1:
            starts = groups.pop()
            if len(starts) > 1:
                yield starts, token.start()
    if len(groups[0]) > 1:
        yield groups[0], len(pattern)


def _alternatives(starts: list[int], end: int) -> Iterator[tuple[int, int]]:
    return zip(starts, [*(start - 1 for start in starts[1:]), end], strict=True)
