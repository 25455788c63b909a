"""A corpus: a text a line, with what is expected of it in front."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policy_engine.decision import Effect
from policy_engine.errors import Fault, Location
from policy_engine.policy.words import did_you_mean
from policy_engine.source import Path
from policy_engine.testing.reading.fields import Fields, same_id
from policy_engine.testing.reading.names import Names

__all__ = ["CorpusLine", "read_corpus"]

_WORDS: Final[dict[str, Effect]] = {
    "ok": "allow",
    "redact": "redact",
    "ask": "require_approval",
    "deny": "deny",
}
_LINE: Final = re.compile(r"([A-Za-z_-]+)(?:\[([^\]]*)\])?:(?: (.*))?", re.DOTALL)
_HINT: Final = "a line is `ok: text`, `deny: text`, `deny[rule]: text` or `redact: text => text`"
_UNTOLD: Final = re.compile(r"cannot_tell:\s*")
"""What stands in the brackets before the rules that decide because they cannot tell."""
_ARROW: Final = " => "


@dataclass(frozen=True, slots=True)
class CorpusLine:
    """One text and what is expected of it."""

    location: Location
    effect: Effect
    rules: tuple[str, ...]
    cannot_tell: tuple[str, ...] | None
    """As `expect.cannot_tell` says it: `deny[cannot_tell: rule]: text`."""
    text: str
    redacted: str | None


def read_corpus(fields: Fields, path: Path, value: object, names: Names) -> Iterator[CorpusLine]:
    """Read a corpus; empty lines and those that start with `#` say nothing."""
    text = fields.text(path, value, _HINT)
    if text is None:
        return
    start = fields.document.at(path)
    opening = fields.document.line(start.line)[start.column - 1 : start.column]
    if opening == ">":
        hint = "write `texts: |`, and every line is a text of its own"
        fields.fault(path, "PE009", 'behind ">" all lines are one', hint)
        return
    found = 0
    for number, line in enumerate(text.split("\n")):
        if not line.strip() or line.startswith("#"):
            continue
        found += 1
        place = start
        if opening == "|":
            written = fields.document.line(start.line + 1 + number)
            column = len(written) - len(written.lstrip()) + 1
            place = Location(start.path, start.line + 1 + number, column)
        read = _line(fields, place, line, names)
        if read is not None:
            yield read
    if not found:
        fields.fault(path, "PE020", "the corpus holds no text", _HINT)


def _line(fields: Fields, place: Location, line: str, names: Names) -> CorpusLine | None:
    def fault(code: str, message: str, hint: str | None, at: int = 0, length: int = 1) -> None:
        shown = fields.document.line(place.line)
        here = Location(place.path, place.line, place.column + at)
        fields.faults.append(Fault(here, code, message, hint, shown, length))

    match = _LINE.fullmatch(line)
    if match is None:
        start, colon, _ = line.partition(":")
        advice = f"put a space behind `{start}:`" if colon and start in _WORDS else _HINT
        fault("PE009", "the line does not say what is expected of its text", advice)
        return None
    word, listed = match[1], match[2]
    text: str = match[3] or ""
    effect = _WORDS.get(word)
    if effect is None:
        meant = next((one for one, effect in _WORDS.items() if effect == word), None)
        near = f'write "{meant}"' if meant else did_you_mean(word, _WORDS)
        hint = near or f"one of: {', '.join(_WORDS)}"
        fault("PE009", f'"{word}" is nothing that can be expected of a text', hint, 0, len(word))
        return None
    told, *untold = _UNTOLD.split(listed or "", maxsplit=1)
    rules = _rules(told)
    cannot_tell = _rules(untold[0]) if untold else None
    if listed is not None and not (rules or cannot_tell):
        fault("PE020", "the brackets name no rule", f"write `{word}:`", len(word), len(listed) + 2)
    for name in (*rules, *(cannot_tell or ())):
        if name not in names.rules:
            near = same_id(name, names.rules) or did_you_mean(name, names.rules)
            at = line.index(name, len(word))
            fault("PE011", f'there is no rule "{name}"', near, at, len(name))
    redacted: str | None = None
    if effect == "redact":
        before, arrow, after = text.rpartition(_ARROW)
        text, redacted = before, after
        if not arrow:
            fault("PE007", "the line does not say what the text becomes", _HINT, 0, len(word))
            return None
    return CorpusLine(place, effect, rules, cannot_tell, text, redacted)


def _rules(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())
