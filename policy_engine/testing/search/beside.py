"""Values next to a bound, on the side that is wanted."""

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import Any, Final

from policy_engine.cel.values import Duration, Timestamp

__all__ = ["ORDER", "about", "beside", "edges", "instant", "written"]

_SECOND: Final = 1_000_000_000
_STEPS: Final = (0, _SECOND, -_SECOND, 3_600 * _SECOND, -3_600 * _SECOND)
_DAY: Final = 86_400 * _SECOND
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OPPOSITE: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
ORDER: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
"""How a condition compares -> how Python does."""


def beside(said: str, bound: Any, *, to: bool) -> Iterator[Any]:
    """Yield values of which a comparison with a bound comes to an outcome, the nearest first.

    Args:
        said: The operator, with the value on its left.
        bound: What is on its right.
        to: The outcome.
    """
    compare = ORDER[said if to else _OPPOSITE[said]]
    for value in about(bound):
        if compare(value, bound):
            yield value


def about(bound: Any) -> Iterator[Any]:
    """Yield a value and those next to it, of its kind."""
    match bound:
        case bool():
            yield from (bound, not bound)
        case Timestamp() | Duration():
            kind = type(bound)
            yield from (kind(bound + step) for step in (*_STEPS, _DAY, -_DAY))
        case int():
            yield from (bound, bound + 1, bound - 1)
        case float():
            yield from _decimals(bound)
        case str():
            yield from (bound, *_days(bound), *_hosts(bound), bound + "a", bound[:-1], "mallory")


def _days(text: str) -> Iterator[str]:
    """Yield the days, or the points in time, next to one that is written."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return
    is_day = len(text) == len("2026-01-05")
    for step in (timedelta(days=1), timedelta(days=-1), timedelta(seconds=1)):
        try:
            near = moment + step
        except OverflowError:
            continue
        yield near.date().isoformat() if is_day else near.isoformat().replace("+00:00", "Z")


def _hosts(text: str) -> Iterator[str]:
    """Yield addresses within a network, and just outside of it."""
    if "/" not in text:
        return
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return
    first, last = network.network_address, network.broadcast_address
    for address, step in ((first, 0), (first, 1), (last, 0), (last, 1), (first, -1)):
        with suppress(ValueError):
            yield str(address + step)


def _decimals(bound: float) -> Iterator[float]:
    """Yield a number and those next to it, a step of its last digit away, and finer ones."""
    try:
        exact = Decimal(repr(bound))
    except ArithmeticError:  # pragma: no cover - infinite numbers are not written
        return
    exponent = exact.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    last = Decimal(1).scaleb(-digits)
    yield bound
    for step in dict.fromkeys((Decimal(1), last, Decimal("0.5"), Decimal("0.01"), last / 10)):
        yield from (float(exact + step), float(exact - step))


def instant(value: Timestamp) -> datetime:
    """Return a point in time as facts hold it."""
    return _EPOCH + timedelta(microseconds=value // 1_000)


def edges(value: Timestamp) -> Iterator[Timestamp]:
    """Yield the first and the last second of the month, the day and the hour around a time."""
    moment = instant(value)
    month = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    with suppress(OverflowError):
        following = (month + timedelta(days=31)).replace(day=1)
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        hour = moment.replace(minute=0, second=0, microsecond=0)
        ends = (
            (month, following),
            (day, day + timedelta(days=1)),
            (hour, hour + timedelta(hours=1)),
        )
        for first, after in ends:
            for one in (first, after - timedelta(seconds=1)):
                yield Timestamp((one - _EPOCH) // timedelta(seconds=1) * _SECOND)


def written(value: Any) -> str:
    """Return a point in time, or a span of it, as conditions read it."""
    if isinstance(value, Duration):
        return f"{value // _SECOND}s" if value % _SECOND == 0 else f"{value}ns"
    moment = _EPOCH + timedelta(seconds=value // _SECOND)
    below = f"{value % _SECOND:09d}".rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' if below else ''}{below}Z"
