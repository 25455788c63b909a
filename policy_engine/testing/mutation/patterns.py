"""Regular expressions that match more, or less, than they should."""

import re
from collections.abc import Iterator
from typing import Final

__all__ = ["loosened_pattern", "single_branches", "spaced", "tightened_pattern"]

_TOKEN: Final = re.compile(
    r"""(?P<set>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])
      | (?P<dot>\\\.)
      | (?P<kind>\\[dwDW])
      | (?P<escape>\\.)
      | (?P<count>\{\d+,?\d*\})
      | (?P<open>\((?:\?(?:P?<\w+>|[a-z]*:))?)
      | (?P<sign>[+|)])
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_FLAGS: Final = re.compile(r"\(\?[a-z]+\)")


def loosened_pattern(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield patterns that match more in one place, each with what is different."""
    flags = _FLAGS.match(pattern)
    head = "" if flags is None else flags[0]
    rest = pattern[len(head) :]
    if rest.startswith("^") and rest != "^":
        yield head + rest[1:], "the pattern is not held to the start of the text"
    if rest.endswith("$") and not rest.endswith("\\$") and rest != "$":
        yield pattern[:-1], "the pattern is not held to the end of the text"
    for token in _TOKEN.finditer(pattern):
        after = _looser(token)
        if after is not None:
            changed = f"{pattern[: token.start()]}{after}{pattern[token.end() :]}"
            yield (
                changed,
                f"`{token[0]}` is `{after}` at character {token.start() + 1} of the pattern",
            )


def _looser(token: re.Match[str]) -> str | None:
    """Return what takes more than a part of a pattern does."""
    match token.lastgroup:
        case "set" | "dot" | "kind":
            return "."
        case "count":
            least, comma, most = token[0][1:-1].partition(",")
            return None if comma and not most else f"{{{least},}}"
        case "sign" if token[0] == "+" and token.start() > 0:
            return "*"
    return None


def tightened_pattern(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield patterns that match less in one place, each with what is different."""
    if pattern.startswith("(?i)"):
        yield pattern[4:], "case matters in the pattern"
    if not pattern.removeprefix("(?i)").startswith("^"):
        flags = "(?i)" if pattern.startswith("(?i)") else ""
        bare = pattern.removeprefix("(?i)")
        yield f"{flags}^(?:{bare})", "the pattern is held to the start of the text"
    for start, end, text in _branches(pattern):
        yield pattern[:start] + pattern[end:], f"`{text}` is not in the pattern"


def _branches(pattern: str) -> Iterator[tuple[int, int, str]]:
    """Yield the alternatives of a pattern: where each stands with its bar, and its text."""
    for starts, end in _groups(pattern):
        for i, (start, stop) in enumerate(_alternatives(starts, end)):
            # With the first alternative goes the bar after it, with any other the one before.
            cut = (start, stop + 1) if i == 0 else (start - 1, stop)
            yield *cut, pattern[start:stop]


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
        if token.lastgroup == "open":
            groups.append([token.end()])
        elif token[0] == "|":
            groups[-1].append(token.end())
        elif token[0] == ")" and len(groups) > 1:
            starts = groups.pop()
            if len(starts) > 1:
                yield starts, token.start()
    if len(groups[0]) > 1:
        yield groups[0], len(pattern)


def _alternatives(starts: list[int], end: int) -> Iterator[tuple[int, int]]:
    return zip(starts, [*(start - 1 for start in starts[1:]), end], strict=True)
