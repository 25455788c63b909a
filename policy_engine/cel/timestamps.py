"""Instants and durations: their text forms, and their parts in a time zone."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from policy_engine.cel.arithmetic import to_duration, to_timestamp
from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import EPOCH, NANOSECONDS
from policy_engine.cel.values import Duration, Timestamp

__all__ = ["find_zone", "parse_duration", "parse_timestamp"]

_UNITS: Mapping[str, int] = MappingProxyType(
    {
        "h": 3_600 * NANOSECONDS,
        "m": 60 * NANOSECONDS,
        "s": NANOSECONDS,
        "ms": 1_000_000,
        "us": 1_000,
        "\xb5s": 1_000,
        "\u03bcs": 1_000,
        "ns": 1,
    }
)
_DIGITS: Final = frozenset("0123456789")
_ZONE_CHARACTERS: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/"
)


def _number(text: str) -> int:
    if not text or not _DIGITS.issuperset(text):
        raise EvaluationError("not a number")
    return int(text)


def parse_timestamp(text: str) -> Timestamp:
    """Return the instant of an RFC 3339 text, to the nanosecond."""
    if len(text) > 40 or len(text) < 20 or text[4] != "-" or text[7] != "-":
        raise EvaluationError("not a timestamp")
    if text[10] not in "Tt" or text[13] != ":" or text[16] != ":":
        raise EvaluationError("not a timestamp")
    year, month, day = _number(text[:4]), _number(text[5:7]), _number(text[8:10])
    hour, minute, second = _number(text[11:13]), _number(text[14:16]), _number(text[17:19])
    rest = text[19:]
    nanoseconds = 0
    if rest[0] == ".":
        end = 1
        while end < len(rest) and rest[end] in _DIGITS:
            end += 1
        _number(rest[1:end])
        nanoseconds = int(rest[1:end][:9].ljust(9, "0"))
        rest = rest[end:]
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    since = moment - EPOCH
    seconds = since.days * 86_400 + since.seconds - _offset(rest)
    return to_timestamp(seconds * NANOSECONDS + nanoseconds)


def _offset(text: str) -> int:
    """Return the seconds that `Z` or `+02:00` stand for."""
    if text in ("Z", "z"):
        return 0
    if len(text) != 6 or text[0] not in "+-" or text[3] != ":":
        raise EvaluationError("not an offset from UTC")
    hours, minutes = _number(text[1:3]), _number(text[4:6])
    if hours > 23 or minutes > 59:
        raise EvaluationError("not an offset from UTC")
    seconds = hours * 3_600 + minutes * 60
    return -seconds if text[0] == "-" else seconds


def parse_duration(text: str) -> Duration:
    """Return the duration of a text such as `1h30m` or `-1.5s`."""
    negative = text.startswith("-")
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return Duration(0)
    if not rest or len(rest) > 100:
        raise EvaluationError("not a duration")
    total = 0
    while rest:
        amount, rest = _run(rest, digits=True)
        unit, rest = _run(rest, digits=False)
        if unit not in _UNITS:
            raise EvaluationError("not a duration")
        whole, _, fraction = amount.partition(".")
        if not whole and not fraction:
            raise EvaluationError("not a duration")
        scale = _UNITS[unit]
        total += int(whole or "0") * scale
        if fraction:
            total += _number(fraction) * scale // 10 ** len(fraction)
    return to_duration(-total if negative else total)


def _run(text: str, *, digits: bool) -> tuple[str, str]:
    end = 0
    while end < len(text) and (text[end] in _DIGITS or text[end] == ".") is digits:
        end += 1
    return text[:end], text[end:]


def _fraction(nanoseconds: int) -> str:
    if nanoseconds == 0:
        return ""
    digits = f"{nanoseconds:09d}"
    return "." + digits.rstrip("0")


def timestamp_text(value: Timestamp) -> str:
    """Return an instant as RFC 3339 in UTC."""
    seconds, nanoseconds = divmod(int(value), NANOSECONDS)
    moment = EPOCH + timedelta(seconds=seconds)
    return (
        f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d}T{moment.hour:02d}:"
        f"{moment.minute:02d}:{moment.second:02d}{_fraction(nanoseconds)}Z"
    )


def duration_text(value: Duration) -> str:
    """Return a duration in seconds."""
    seconds, nanoseconds = divmod(abs(int(value)), NANOSECONDS)
    return f"{'-' if value < 0 else ''}{seconds}{_fraction(nanoseconds)}s"


def find_zone(name: str) -> tzinfo:
    """Return a time zone by its name, such as `Europe/Berlin`, or its offset, such as `+02:00`.

    Raises:
        EvaluationError: There is no such zone.
    """
    if name in ("UTC", "", "Z"):
        return UTC
    if len(name) > 64 or not (_ZONE_CHARACTERS | {":"}).issuperset(name):
        raise EvaluationError("no such time zone")
    if ":" in name:
        signed = name if name[0] in "+-" else "+" + name
        return timezone(timedelta(seconds=_offset(signed)))
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise EvaluationError("no such time zone") from None


def _local(value: object, zone: object) -> datetime:
    if type(value) is not Timestamp:
        raise EvaluationError("not a timestamp")
    found = zone if isinstance(zone, tzinfo) else find_zone(str(zone))
    seconds = int(value) // NANOSECONDS
    return (EPOCH + timedelta(seconds=seconds)).astimezone(found)


def _part(read: Callable[[datetime], int]) -> Callable[..., int]:
    def part(value: object, zone: object = UTC) -> int:
        return read(_local(value, zone))

    return part


full_year = _part(lambda moment: moment.year)
month = _part(lambda moment: moment.month - 1)
date = _part(lambda moment: moment.day)
day_of_month = _part(lambda moment: moment.day - 1)
day_of_week = _part(lambda moment: moment.isoweekday() % 7)
day_of_year = _part(lambda moment: moment.timetuple().tm_yday - 1)
_hour = _part(lambda moment: moment.hour)
_minute = _part(lambda moment: moment.minute)
_second = _part(lambda moment: moment.second)


def _whole(value: int, unit: int) -> int:
    """Divide towards zero."""
    return -(-value // unit) if value < 0 else value // unit


def hours(value: object, *zone: Any) -> int:
    """Return the hour of an instant, or all the hours of a duration."""
    if type(value) is Duration and not zone:
        return _whole(int(value), 3_600 * NANOSECONDS)
    return _hour(value, *zone)


def minutes(value: object, *zone: Any) -> int:
    """Return the minute of an instant, or all the minutes of a duration."""
    if type(value) is Duration and not zone:
        return _whole(int(value), 60 * NANOSECONDS)
    return _minute(value, *zone)


def seconds(value: object, *zone: Any) -> int:
    """Return the second of an instant, or all the seconds of a duration."""
    if type(value) is Duration and not zone:
        return _whole(int(value), NANOSECONDS)
    return _second(value, *zone)


def milliseconds(value: object, *zone: Any) -> int:
    """Return the milliseconds within the second."""
    if type(value) is Duration and not zone:
        return _whole(int(value), 1_000_000) - _whole(int(value), NANOSECONDS) * 1_000
    _local(value, *(zone or (UTC,)))
    return int(value) % NANOSECONDS // 1_000_000  # type: ignore[call-overload, no-any-return]
