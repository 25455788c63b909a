"""What rules and limits say of themselves, to the model and to the reader.

Messages are read for what is said in one way only: a sentence that could mean something else says
nothing. Every pattern here is bounded, so a message of any length is read in linear time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policy_engine.lint.words import names_in
from policy_engine.policy import Limit
from policy_engine.policy.rule import Rule

__all__ = ["CURRENCIES", "Number", "numbers", "sentences", "spoken"]

CURRENCIES: Final = names_in("eur euro euros usd dollar dollars gbp pound pounds chf francs $ € £")
"""How messages write the currencies of which one is about one."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a sentence names."""

    values: tuple[float, ...]
    """What it may mean: `10.000` is ten, or ten thousand."""
    unit: str
    """What stands right behind it, or is a currency before it; in lower case, or empty."""
    start: int
    end: int
    """Behind the digits, and before the unit."""
    written: str
    """The number with its currency and unit."""


def spoken(one: Rule | Limit) -> str:
    """Return the words of a rule's id, its message and its description, a line each."""
    return "\n".join((one.id.replace("-", " "), one.message or "", one.description or ""))


def sentences(text: str) -> Iterator[str]:
    """Go through the sentences of a text; what is longer than a sentence says nothing."""
    for one in _ENDS.split(text):
        sentence = one.strip(" \t\r.;!?:")
        if 0 < len(sentence) <= _LONG:
            yield sentence


def numbers(sentence: str) -> list[Number]:
    """Return the numbers of a sentence, those in words among them."""
    found = []
    for match in _NUMBER.finditer(sentence):
        digits, word = match["digits"], match["word"]
        unit = (match["sign"] or match["unit"] or "").strip().lower()
        if digits and match["more"]:
            continue  # a part of a date, a version or an id
        values = (float(_WORDS[word.lower()]),) if word else _readings(digits)
        if digits and match["scale"]:
            values = tuple(value * _SCALES[match["scale"].lower()] for value in values)
        end = match.end("word") if word else match.end("digits")
        found.append(Number(values, unit, match.start(), end, match[0].strip()))
    return found


def _readings(digits: str) -> tuple[float, ...]:
    bare = re.sub(r"[\s']", "", digits)
    whole = float(re.sub("[,.]", "", bare))
    comma, dot = bare.rfind(","), bare.rfind(".")
    if comma < 0 and dot < 0:
        return (whole,)
    at = max(comma, dot)
    parted = float(f"{re.sub('[,.]', '', bare[:at])}.{bare[at + 1 :]}")
    if min(comma, dot) >= 0:
        return (parted,)
    if bare.count(bare[at]) > 1:
        return (whole,)
    if len(bare) - at - 1 == _THREE:
        return (whole,) if bare[at] == "," else (parted, whole)
    return (parted,)


_LONG: Final = 300
_THREE: Final = 3
_ENDS: Final = re.compile(r"[.;!?:]+(?=\s|$)|\n")
_WORDS: Final = {
    word: number
    for number, words in {
        0.5: "half", 1: "one once single", 2: "two twice both", 3: "three thrice", 4: "four",
        5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten", 11: "eleven",
        12: "twelve dozen", 15: "fifteen", 16: "sixteen", 20: "twenty", 24: "twenty-four",
        25: "twenty-five", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 80: "eighty",
        90: "ninety", 100: "hundred", 1000: "thousand", 10**6: "million",
    }.items()
    for word in words.split()
}  # fmt: skip
_SCALES: Final = {"k": 1000, "m": 10**6}
_SPELT: Final = "|".join(sorted(_WORDS, key=len, reverse=True))
_NUMBER: Final = re.compile(
    r"(?<![\w.,:/#-])(?:"
    r"(?P<sign>(?:EUR|USD|GBP|CHF|INR)\s|[$€£₹]\s?)?"
    r"(?P<digits>[0-9]{1,3}(?:[ '\u00a0\u202f][0-9]{3}){1,5}(?![0-9])|"
    r"[0-9]{1,15}(?:[,.][0-9]{1,9}){0,5})"
    r"(?P<scale>[km]\b)?(?P<more>[\w/:-]*[0-9])?"
    rf"(?:[ \u00a0-]?(?P<unit>(?!(?:{_SPELT})\b)[^\W\d_]{{1,20}}|[%°$€£₹]))?"
    rf"|(?P<word>\b(?:{_SPELT})\b))",
    re.IGNORECASE,
)
