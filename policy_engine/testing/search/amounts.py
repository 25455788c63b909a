"""Amounts that an argument may hold, and how several of them add up to a sum."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final, TypeAlias

from policy_engine.cel.nodes import Literal, walk
from policy_engine.compiler import Chain
from policy_engine.testing.search.declared import Declared
from policy_engine.testing.search.places import Place, at_place
from policy_engine.testing.search.sample import Sample

__all__ = ["Calls", "amounts_of", "numbers_in", "summed"]

_BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "const")
_FEW: Final = 24
_FINE: Final = 20_000
"""A larger sum is not searched for piece by piece."""
Calls: TypeAlias = list[tuple[float, int]]
"""Amounts, and how often each is asked for."""


def numbers_in(value: object) -> Iterator[float]:
    """Yield the numbers that a value holds."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from numbers_in(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def amounts_of(
    place: Place, sample: Sample, met: Chain, declared: Declared, listed: Sequence[float]
) -> list[float]:
    """Return amounts that may stand at a place, the largest first.

    Args:
        place: Where the amount stands.
        sample: A request.
        met: What it meets.
        declared: What values must fit.
        listed: Numbers that policies hold beside, which may be bounds.
    """
    found: dict[float, None] = {}
    for value in chain(_near(place, sample, met, declared), listed):
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            whole = isinstance(value, float) and value.is_integer()
            found.setdefault(int(value) if whole else value)
    fitting = (value for value in found if declared.admits(place, value))
    return sorted(islice(fitting, 4 * _FEW), reverse=True)


def _near(place: Place, sample: Sample, met: Chain, declared: Declared) -> Iterator[object]:
    held = at_place(sample, place)
    yield held
    yield from (1, 0.01)
    yield from declared.others(place, held)
    for schema in declared.schemas(place):
        yield from _listed(schema)
    for rule in met.rules:
        if rule.condition is not None and place in rule.condition.reads:
            for node in walk(rule.condition.tree):
                value = node.value if isinstance(node, Literal) else None
                if isinstance(value, int | float) and not isinstance(value, bool):
                    yield from (value, value - 1, value + 1)


def _listed(schema: Mapping[str, object]) -> Iterator[object]:
    listed = schema.get("enum")
    yield from listed if isinstance(listed, list) else ()
    for key in _BOUNDS:
        bound = schema.get(key)
        if isinstance(bound, int | float):
            yield from (bound, bound + 1, bound - 1)


def summed(total: float, amounts: Sequence[float], *, only: bool = False) -> Iterator[Calls]:
    """Yield ways to reach a sum, those of the fewest calls first.

    Args:
        total: The sum.
        amounts: What may be asked for, the largest first.
        only: Whether nothing between them may be asked for.
    """
    if total == 0:
        yield []
        return
    if not only:
        for largest in amounts[:_FEW]:
            count = math.ceil(total / largest)
            if float(total).is_integer():
                share, more = divmod(int(total), count)
                parts = [(float(share + 1), more), (float(share), count - more)]
                yield [(_plain(one), n) for one, n in parts if n and one]
            else:
                yield [(total / count, count)]
    found = _exactly(total, amounts)
    if found is not None:
        yield found


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def _exactly(total: float, amounts: Sequence[float]) -> Calls | None:
    """Return the fewest of some whole amounts that add up to a sum."""
    if not float(total).is_integer() or total > _FINE:
        return None
    whole = [int(one) for one in amounts[:_FEW] if float(one).is_integer()]
    last: list[int | None] = [0, *([None] * int(total))]
    fewest = [0, *([1 << 30] * int(total))]
    for reached in range(1, int(total) + 1):
        for one in whole:
            if one <= reached and fewest[reached - one] + 1 < fewest[reached]:
                fewest[reached], last[reached] = fewest[reached - one] + 1, one
    if last[-1] is None:
        return None
    calls: dict[float, int] = {}
    rest = int(total)
    while rest:
        one = last[rest] or rest
        calls[one] = calls.get(one, 0) + 1
        rest -= one
    return sorted(calls.items(), reverse=True)
