"""The hours and days that a rule asks about, and those that its words name.

A rule that asks about Monday to Friday, or from 9 to 17, asks by numbers, and says so in words.
Where the two can be compared at all, they are compared as sets: what is asked beside the time is
left out, and where the time depends on it there is no set.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from policy_engine.lint.proof.formula import Clause, Formula, Group, clauses
from policy_engine.lint.words import names_in

__all__ = ["DAYS", "Hours", "asked_of", "days_said", "ends_week", "hours_said", "zone_of"]

DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_SIZES: Final = {"getHours": 24, "getDayOfWeek": 7}
_KINDS: Final = frozenset({"<", "<=", "==", "in"})


class _MixedError(Exception):
    """When a rule speaks depends on more than the time."""


def asked_of(whole: Formula, method: str) -> frozenset[int] | None:
    """Return the hours or the days at which a condition may be true, as far as the time goes.

    None where it does not ask, asks in two time zones, or asks otherwise in other cases.
    """
    about = [clause for clause in clauses(whole) if _is_about(clause, method)]
    if len({clause.atom.term for clause in about}) != 1:
        return None
    try:
        kept, _ = _kept(whole, method)
    except _MixedError:
        return None
    if kept is None:
        return None
    return frozenset(number for number in range(_SIZES[method]) if _holds(kept, number))


def _is_about(clause: Clause, method: str) -> bool:
    return clause.atom.term[:2] == ("now", method)


def _kept(part: Formula, method: str) -> tuple[Formula | None, bool]:
    """Return the part of a formula that is about the time, and whether there is more to it."""
    if isinstance(part, Clause):
        if not _is_about(part, method):
            return None, True
        if part.atom.kind not in _KINDS:
            raise _MixedError
        return part, False
    below = [_kept(one, method) for one in part.parts]
    kept = [(one, is_more) for one, is_more in below if one is not None]
    if len(kept) > 1 and any(is_more for _, is_more in kept):
        raise _MixedError
    is_more = any(more for _, more in below)
    if not kept:
        return None, True
    return Group(part.all, tuple(one for one, _ in kept)), is_more


def _holds(part: Formula, number: int) -> bool:
    if not isinstance(part, Clause):
        return (all if part.all else any)(_holds(one, number) for one in part.parts)
    kind, operand = part.atom.kind, part.atom.operand
    if kind in {"==", "in"}:
        is_met = number in (operand if kind == "in" else (operand,))
    else:
        is_met = number < operand if kind == "<" else number <= operand
    return is_met is part.holds


def zone_of(whole: Formula, method: str) -> str:
    """Return the time zone in which a condition reads the clock."""
    terms = (clause.atom.term for clause in clauses(whole) if _is_about(clause, method))
    return next((term[2] for term in terms if len(term) > 2), "UTC")


def ends_week(clause: Clause) -> bool:
    """Whether a test tells Saturday from all the other days, among them Sunday."""
    kind, day = clause.atom.kind, clause.atom.operand
    return (kind == "<=" and day == _FRIDAY) or (kind == "<" and day == _FRIDAY + 1)


def _turns(hours: frozenset[int]) -> frozenset[int]:
    """Return the hours at which something begins or ends; midnight alone is no such hour."""
    return frozenset(h for h in range(1, 24) if (h in hours) is not (h - 1 in hours))


@dataclass(frozen=True, slots=True)
class Hours:
    """From when until when something is, as a text says it."""

    written: str
    """The words."""
    first: frozenset[int]
    """What the first hour may mean: of `9`, nine in the morning or in the evening."""
    last: frozenset[int]

    def unlike(self, asked: frozenset[int], closed: Container[object] = ()) -> int | None:
        """Return an hour that is named nowhere, and at which something begins or ends.

        Args:
            asked: The hours.
            closed: The hours that are asked about to their end, which is another finding.
        """
        return min(_turns(asked) - self.first - self._ends(closed), default=None)

    def missing(self, asked: frozenset[int], closed: Container[object] = ()) -> int | None:
        """Return the named hour at which nothing begins or ends, where it does at the other."""
        turns = _turns(asked)
        if not turns & self.first:
            return min(self.first) or None
        return None if turns & self._ends(closed) else min(self.last) or None

    def wrong_hour(self, asked: frozenset[int]) -> int | None:
        """Return an hour at which something is, and is said not to be, or the other way round."""
        wrong = [asked ^ said for inside in self._spans() for said in (inside, _DAY_LONG - inside)]
        nearest = min(wrong, key=len)
        return min(nearest, default=None)

    def are_all_but(self, asked: frozenset[int]) -> bool:
        """Whether the hours that a text names are all those that are not asked about."""
        spans = self._spans()
        return _DAY_LONG - asked in spans and asked not in spans

    def _spans(self) -> list[frozenset[int]]:
        """Return what the words may mean."""
        return [
            frozenset((first + step) % 24 for step in range((last - first) % 24))
            for first in self.first
            for last in self.last
        ]

    def _ends(self, closed: Container[object]) -> set[int]:
        return {*self.last, *((hour + 1) % 24 for hour in self.last if hour in closed)}


def hours_said(text: str, zone: str) -> Hours | None:
    """Return the only span of hours that a text names, where it is in a time zone."""
    plain = _HALVES.sub(r"\1m", text)
    found = list(_SPAN.finditer(plain))
    if len(found) != 1 or len(_DIGIT.findall(plain)) > len(_DIGIT.findall(found[0][0])):
        return None
    match = found[0]
    behind = _WORD.match(plain, match.end())
    if behind is not None and behind[0].strip().islower() and behind[0].strip() not in _BEHIND:
        return None  # a unit
    if _is_elsewhere(plain, zone):
        return None
    zones = {name.upper() for name in _ZONE.findall(plain)}
    if zones and (zone in _WORLD) is not bool(zones & _WORLD):
        return None
    first, last = int(match["first"]), int(match["last"])
    halves = (match["first_half"] or "").lower(), (match["last_half"] or "").lower()
    is_twelve = first <= _HALF and last <= _HALF
    return Hours(
        match[0].strip(),
        _meant(first, halves[0], is_open=is_twelve or bool(halves[1])),
        _meant(last, halves[1], is_open=is_twelve),
    )


def _is_elsewhere(text: str, zone: str) -> bool:
    """Whether a text names a place that its rule's time zone is not named after, or a season."""
    here = zone.replace("_", " ").lower()
    places = (place for match in _PLACE.findall(text) for place in match if place)
    named = (place for place in places if not _NO_PLACE.fullmatch(place))
    return bool(_SEASON.search(text)) or any(place.lower() not in here for place in named)


def _meant(hour: int, half: str, *, is_open: bool) -> frozenset[int]:
    if half:
        return frozenset({hour % _HALF + (_HALF if half == "p" else 0)})
    both = {hour, hour + _HALF} if is_open and hour <= _HALF else {hour}
    return frozenset(one % 24 for one in both)


def days_said(text: str, zone: str) -> tuple[str, frozenset[int]] | None:
    """Return the days of the week that a text parts from the others, and its words for them."""
    spans = list(_DAY_SPAN.finditer(text))
    named = [match for span in spans for match in _DAY.findall(span[0])]
    if len(spans) > 1 or len(_DAY.findall(text)) != len(named) or _EXCEPT.search(text):
        return None
    working = _WORKING.search(text)
    said = None if working is None or zone.startswith(("Asia/", "Africa/")) else _FIVE
    if not spans:
        return None if said is None or working is None else (working["word"], said)
    first, last = (_NUMBERS[spans[0][key][:3].lower()] for key in ("first", "last"))
    days = frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))
    if spans[0]["and"] and not _BETWEEN.search(text[: spans[0].start()]):
        days = frozenset({first, last})
    is_odd = said is not None and days not in (said, _SEVEN - said)
    return None if is_odd or days == _SEVEN else (spans[0][0], days)


_HALF: Final = 12
_DAY_LONG: Final = frozenset(range(24))
_FRIDAY: Final = 5
_SEVEN: Final = frozenset(range(7))
_FIVE: Final = frozenset(range(1, 6))
_WORLD: Final = frozenset({"UTC", "GMT", ""})
_NUMBERS: Final = {day[:3].lower(): number for number, day in enumerate(DAYS)}
_HALVES: Final = re.compile(r"\b([ap])\.m\b\.?", re.IGNORECASE)
_HOUR: Final = (
    r"(?P<{0}>[01]?[0-9]|2[0-4])(?:[:.]00)?(?:\s?(?P<{0}_half>[ap])m\b)?(?:\s?(?:h|o'clock)\b)?"
)
_SPAN: Final = re.compile(
    rf"(?:\b(?:between|from)\s)?(?<![\w.,:/$€£-]){_HOUR.format('first')}"
    rf"(?:\s(?:and|to|until|till)\s|\s?[-\u2013]\s?){_HOUR.format('last')}"
    r"(?![\w:%]|[.,/-][0-9]|\s?[€$£%])",
    re.IGNORECASE,
)
_DIGIT: Final = re.compile(r"[0-9]")
_WORD: Final = re.compile(r"\s{1,2}[^\W\d_]{1,20}")
_ZONE: Final = re.compile(r"\b(UTC|GMT|CES?T|[ECMP][SD]?T|BST|IST|JST|local)\b", re.IGNORECASE)
_NAME: Final = r"[^\W\d_a-z][^\W\d_]{2,30}"
_PLACE: Final = re.compile(
    rf"\bin ({_NAME}(?: [A-Z][a-z]{{2,30}})?)|\b({_NAME}) time\b|\(({_NAME})(?: time)?\)"
)
"""A place after whose clock a text may go: `in Berlin`, `London time`, `(Tokyo)`."""
_NO_PLACE: Final = re.compile(
    r"(?:the|all|any|opening|closing|working|office|service|desk|local|UTC|GMT|CES?T|[ECMP][SD]?T|"
    r"BST|IST|JST|weekdays|daily)|(?:sun|mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?)(?:days?)?",
    re.IGNORECASE,
)
_SEASON: Final = re.compile(
    r"\b(?:winter|summer|spring|autumn|daylight|season|standard time)\b", re.IGNORECASE
)
_BEHIND: Final = names_in(
    "on in at and or only utc every each daily may can must is are by for the"
)
_DAY_NAME: Final = r"(?:sun|mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?)(?:days?)?"
_DAY: Final = re.compile(rf"\b{_DAY_NAME}\b", re.IGNORECASE)
_DAY_SPAN: Final = re.compile(
    rf"\b(?P<first>{_DAY_NAME})(?:\s(?:to|through|until|till|(?P<and>and))\s|\s?[-\u2013]\s?)"
    rf"(?P<last>{_DAY_NAME})\b",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(r"\bbetween\s$", re.IGNORECASE)
_WORKING: Final = re.compile(
    r"\b(?:on|at|no|only|during|every|all)\s(?:the\s)?"
    r"(?P<word>(?:weekends?|weekdays|(?:business|work|working)\s?days))\b",
    re.IGNORECASE,
)
_EXCEPT: Final = re.compile(
    r"\b(?:except|but|other|besides|apart|unless|first|last)\b", re.IGNORECASE
)
