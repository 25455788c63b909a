"""The names that generated code may use."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from policy_engine.cel import arithmetic, comparison, containers, optionals, patterns, reading
from policy_engine.cel.functions import FUNCTIONS
from policy_engine.cel.meter import Meter
from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import LISTS, NANOSECONDS
from policy_engine.cel.values import (
    CANNOT_TELL,
    BoolKey,
    Duration,
    List,
    Map,
    OptionalValue,
    Timestamp,
    TypeValue,
)

__all__ = ["NAMES", "export", "symbol"]

_FEW = 16
"""Up to so many elements a loop is faster than a set of their types."""

Term = Callable[[], object]


def absorb_and(*terms: Term) -> bool:
    """Return whether all terms are true; a false one outweighs errors."""
    failed: Exception | None = None
    for term in terms:
        try:
            if not reading.as_bool(term()):
                return False
        except Exception as error:  # noqa: BLE001 - any error may be outweighed
            failed = error
    if failed is not None:
        raise failed
    return True


def absorb_or(*terms: Term) -> bool:
    """Return whether a term is true; a true one outweighs errors."""
    failed: Exception | None = None
    for term in terms:
        try:
            if reading.as_bool(term()):
                return True
        except Exception as error:  # noqa: BLE001 - any error may be outweighed
            failed = error
    if failed is not None:
        raise failed
    return False


def loop_all(rows: Sequence[object], test: Callable[[object], bool]) -> bool:
    """Return whether a test holds for every row."""
    for row in rows:  # noqa: SIM110 - a loop is faster than all()
        if not test(row):
            return False
    return True


def loop_exists(rows: Sequence[object], test: Callable[[object], bool]) -> bool:
    """Return whether a test holds for a row."""
    for row in rows:  # noqa: SIM110 - a loop is faster than any()
        if test(row):
            return True
    return False


def absorb_all(rows: Sequence[object], test: Callable[[object], bool]) -> bool:
    """Return whether a test holds for every row; a false one outweighs errors."""
    return absorb_and(*(lambda row=row: test(row) for row in rows))


def absorb_exists(rows: Sequence[object], test: Callable[[object], bool]) -> bool:
    """Return whether a test holds for a row; a true one outweighs errors."""
    return absorb_or(*(lambda row=row: test(row) for row in rows))


def loop_exists_one(rows: Sequence[object], test: Callable[[object], bool]) -> bool:
    """Return whether a test holds for exactly one row."""
    return sum([test(row) for row in rows]) == 1


def loop_filter(rows: Sequence[object], test: Callable[..., bool]) -> Sequence[object]:
    """Return the rows for which a test holds."""
    return [row for row in rows if test(row)]


def loop_list(meter: Meter, rows: Sequence[object], change: Callable[[object], object]) -> List:
    """Return what rows become."""
    meter.grow(len(rows))
    return List([change(row) for row in rows])


def loop_map(
    meter: Meter, rows: Sequence[tuple[object, object]], change: Callable[..., object]
) -> Map:
    """Return a map with the same keys and what the values become."""
    meter.grow(len(rows))
    result = Map()
    for key, value in rows:
        containers.put(result, key, change((key, value)))
    return result


def loop_map_entries(
    meter: Meter, rows: Sequence[tuple[object, object]], change: Callable[..., Any]
) -> Map:
    """Return a map of the entries that rows become."""
    meter.grow(len(rows))
    result = Map()
    for row in rows:
        for key, value in reading.entries(change(row)):
            containers.put(result, key.value if type(key) is BoolKey else key, value)
    return result


def spread(change: Callable[[object, object], object]) -> Callable[[Any], object]:
    """Return a function of a pair that calls a function of two."""
    return lambda pair: change(pair[0], pair[1])


def make_list(*items: object) -> List:
    """Return a list of values."""
    return List(items)


def in_strings(item: object, container: Any) -> bool:
    """Return whether a string is in a declared list of strings, all of which are strings."""
    if type(container) not in LISTS:
        raise EvaluationError("not a list of strings")
    if len(container) <= _FEW:
        for one in container:
            if type(one) is not str:
                raise EvaluationError("not a list of strings")
    elif not {*map(type, container)} <= {str}:
        raise EvaluationError("not a list of strings")
    return item in container


def fail(message: str = "an error") -> object:
    """Stand for a part that could not be checked."""
    raise EvaluationError(message)


def cook_present(value: object) -> object:
    """Return a value of an optional field without a declared type."""
    if value is None:
        raise EvaluationError("an absent field")
    return reading.cook(value)


def present(_value: object) -> bool:
    """Return whether a field that may be null is there: reading it did not fail."""
    return True


def get_field(container: Any, key: str) -> object:
    """Return a declared field of a map, None where it is absent."""
    if not reading.is_map(container):
        raise EvaluationError("not a map")
    return container.get(key)


def chain_field(
    container: OptionalValue, key: str, check: Callable[[object], object]
) -> OptionalValue:
    """Return a declared field of the map in an optional."""
    if not optionals.has_value(container):
        return container
    return containers.read_optional(get_field(container.value, key), check)


def checked_index(container: object, key: object, check: Callable[[object], object]) -> object:
    """Return an element of a declared list or map, checked."""
    found = containers.index(container, key)
    return found if type(container) is List or type(container) is Map else check(found)


def checked_optional(
    container: object, key: object, check: Callable[[object], object]
) -> OptionalValue:
    """Return an element of a declared list or map as an optional, checked."""
    found = containers.optional_index(container, key)
    if not optionals.has_value(found):
        return found
    return OptionalValue(check(found.value))


def typed_pairs(
    meter: Meter, container: object, check: Callable[[object], object]
) -> Sequence[tuple[object, object]]:
    """Return what a macro with two variables goes over, each value checked."""
    found = containers.pairs(meter, container)
    if type(container) is List or type(container) is Map:
        return found
    return [(key, check(value)) for key, value in found]


def export(value: Any) -> object:
    """Return a value of expressions as a Python value."""
    kind = type(value)
    if kind is int or kind is str or kind is bool or kind is float or value is None:
        return value
    if kind is Timestamp:
        return reading.EPOCH + timedelta(microseconds=int(value) // 1_000)
    if kind is Duration:
        return timedelta(microseconds=int(value) // 1_000)
    if kind in LISTS:
        return [export(item) for item in reading.elements(value)]
    if reading.is_map(value):
        pairs = reading.entries(value)
        return {k.value if type(k) is BoolKey else k: export(item) for k, item in pairs}
    if isinstance(value, OptionalValue | TypeValue | date | datetime):
        raise EvaluationError("not a value of Python")
    return int(value) if isinstance(value, int) else value


def symbol(function: str) -> str:
    """Return the name of a function of the language in generated code."""
    return _SYMBOLS[function]


_SYMBOLS: Mapping[str, str] = MappingProxyType(
    {name: f"_f{number}_{FUNCTIONS[name].run.__name__}" for number, name in enumerate(FUNCTIONS)}
)

NAMES: Mapping[str, object] = MappingProxyType(
    {
        "_Exception": Exception,
        "_otherwise": None,
        "_type": type,
        "_int": int,
        "_float": float,
        "_str": str,
        "_len": len,
        "_Meter": Meter,
        "_cannot_tell": CANNOT_TELL,
        "_NANOSECONDS": NANOSECONDS,
        **{
            f"_{function.__name__}": function
            for function in (
                absorb_all, absorb_and, absorb_exists, absorb_or, chain_field, checked_index,
                checked_optional, cook_present, export, fail, get_field, in_strings, loop_all,
                loop_exists, loop_exists_one, loop_filter, loop_list, loop_map, loop_map_entries,
                make_list, present, spread, typed_pairs,
                arithmetic.divide_double, arithmetic.overflow,
                comparison.equal, comparison.not_equal, comparison.contains,
                containers.has, containers.has_field, containers.index, containers.make_map,
                containers.make_list_with_optionals, containers.make_map_with_optionals,
                containers.optional_index, containers.optional_select, containers.pairs,
                containers.read_optional, containers.rows, containers.select, containers.typed_rows,
                optionals.flat_map_optional, optionals.map_optional, patterns.search,
                reading.as_bool, reading.as_double, reading.as_int, reading.as_map, reading.cook,
                reading.mismatch, reading.solid,
            )
        },
        **{_SYMBOLS[name]: function.run for name, function in FUNCTIONS.items()},
    }
)  # fmt: skip
"""The globals of generated code: name -> what it is."""
