"""Values of a request -> values of an expression, checked as they are read.

Lists and maps of a request are looked at lazily: reading one checks only that it is one, and its
elements are checked when they are read. Where a list or a map is used as a whole, `solid` checks
all of it against its declared type.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType, NoneType
from typing import Final

from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
)
from policy_engine.cel.values import (
    FALSE_KEY,
    INT_MAX,
    INT_MIN,
    TRUE_KEY,
    Address,
    BoolKey,
    Duration,
    List,
    Map,
    Network,
    OptionalValue,
    Timestamp,
    TypeValue,
    Uint,
)

__all__ = ["cook", "elements", "is_map", "keys", "mismatch", "solid"]

EXACT_FLOAT: Final = 2**53
"""Up to here every integer is a double."""
NANOSECONDS: Final = 1_000_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LISTS: Final = frozenset({list, tuple, List, frozenset, set})
_SETS: Final = frozenset({frozenset, set})
_READY: Final = frozenset(
    {
        str, bool, NoneType, bytes, Uint, Timestamp, Duration, List, Map, OptionalValue, TypeValue,
        dict, list, tuple, frozenset, set, Address, Network,
    }
)  # fmt: skip


def mismatch(value: object) -> object:
    """Refuse a value that is not of its declared type.

    Raises:
        EvaluationError: Always.
    """
    raise EvaluationError(f"a {type(value).__name__} is not of the declared type")


def as_int(value: object) -> int:
    """Return a value declared as integer; a float without a fraction is one."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is int and INT_MIN <= value <= INT_MAX:
        return value
    raise EvaluationError("not an integer of 64 bits")


def as_double(value: object) -> float:
    """Return a value declared as number; an integer is one as long as nothing is lost."""
    if type(value) is int and -EXACT_FLOAT <= value <= EXACT_FLOAT:
        return float(value)
    if type(value) is float and value - value == 0.0:
        return value
    raise EvaluationError("not a finite number")


def as_timestamp(value: object) -> Timestamp:
    """Return a value declared as timestamp: a datetime that knows its zone."""
    if type(value) is Timestamp:
        return value
    if not isinstance(value, datetime):
        raise EvaluationError("not a point in time")
    since = datetime.__sub__(value, EPOCH)
    if type(since) is not timedelta:
        raise EvaluationError("not a point in time")
    seconds = since.days * 86_400 + since.seconds
    return Timestamp(seconds * NANOSECONDS + since.microseconds * 1_000)


def as_duration(value: object) -> Duration:
    """Return a value declared as duration: a timedelta."""
    if type(value) is Duration:
        return value
    if type(value) is not timedelta:
        raise EvaluationError("not a duration")
    seconds = value.days * 86_400 + value.seconds
    return Duration(seconds * NANOSECONDS + value.microseconds * 1_000)


def cook(value: object) -> object:
    """Return a value without a declared type as a value of expressions."""
    kind = type(value)
    if kind in _READY:
        return value
    if kind is int:
        if INT_MIN <= value <= INT_MAX:  # type: ignore[operator]
            return value
        raise EvaluationError("an integer of more than 64 bits")
    if kind is float:
        if value - value == 0.0:  # type: ignore[operator]
            return value
        raise EvaluationError("not a finite number")
    if isinstance(value, datetime):
        return as_timestamp(value)
    if kind is timedelta:
        return as_duration(value)
    if isinstance(value, Mapping):
        return value
    return mismatch(value)


def is_map(value: object) -> bool:
    """Say whether a value is a map, of a request or of the expression."""
    kind = type(value)
    return kind is dict or kind is Map or (kind not in LISTS and isinstance(value, Mapping))


def as_map(value: object) -> object:
    """Return a value declared as object; its entries are checked when they are read."""
    return value if is_map(value) else mismatch(value)


def as_made_map(value: object) -> object:
    """Return a map whose keys are not strings, which only an expression can make."""
    return value if type(value) is Map else mismatch(value)


def as_list(value: object) -> object:
    """Return a value declared as array; its elements are checked when they are read."""
    return value if type(value) in LISTS else mismatch(value)


def elements(value: object) -> Sequence[object]:
    """Return the elements of a list in a fixed order, as values of expressions."""
    kind = type(value)
    if kind is List:
        return value  # type: ignore[return-value]
    if kind is list or kind is tuple:
        return [cook(item) for item in value]  # type: ignore[attr-defined]
    if kind in _SETS:
        return sorted(as_string(item) for item in value)  # type: ignore[attr-defined]
    raise EvaluationError("not a list")


def keys(value: object) -> Sequence[object]:
    """Return the keys of a map as values of expressions."""
    if type(value) is Map:
        return [key.value if type(key) is BoolKey else key for key in value]
    if is_map(value):
        return [as_string(key) for key in value]  # type: ignore[attr-defined]
    raise EvaluationError("not a map")


def entries(value: object) -> Sequence[tuple[object, object]]:
    """Return the entries of a map, stored keys and values of expressions."""
    if type(value) is Map:
        return list(value.items())
    if is_map(value):
        pairs = value.items()  # type: ignore[attr-defined]
        return [(as_string(key), cook(item)) for key, item in pairs]
    raise EvaluationError("not a map")


def stored_key(key: object) -> object:
    """Return the form in which a map stores a key."""
    kind = type(key)
    if kind is str or kind is int or kind is Uint:
        return key
    if kind is bool:
        return TRUE_KEY if key else FALSE_KEY
    raise EvaluationError("a map's keys are strings, integers and bools")


def as_string(value: object) -> str:
    """Return a value declared as string."""
    if type(value) is str:
        return value
    raise EvaluationError("not a string")


def as_bool(value: object) -> bool:
    """Return a value declared as boolean."""
    if value is True or value is False:
        return value
    raise EvaluationError("neither true nor false")


def as_bytes(value: object) -> bytes:
    """Return a value declared as bytes."""
    if type(value) is bytes:
        return value
    raise EvaluationError("not bytes")


def as_null(value: object) -> None:
    """Return a value declared as null."""
    if value is not None:
        mismatch(value)


def as_uint(value: object) -> Uint:
    """Return a value declared as unsigned integer."""
    if type(value) is Uint:
        return value
    raise EvaluationError("not an unsigned integer")


def as_optional(value: object) -> object:
    """Return a value that is an optional."""
    return value if type(value) is OptionalValue else mismatch(value)


SCALARS: Mapping[Type, Callable[[object], object]] = MappingProxyType(
    {
        BOOL: as_bool,
        INT: as_int,
        DOUBLE: as_double,
        STRING: as_string,
        BYTES: as_bytes,
        NULL: as_null,
        TIMESTAMP: as_timestamp,
        DURATION: as_duration,
        DYN: cook,
    }
)


def check_of(kind: Type) -> Callable[[object], object]:
    """Return the function that checks one value as it is read; lists and maps stay unread."""
    if isinstance(kind, ListType):
        return as_list
    if isinstance(kind, MapType) and kind.key not in (STRING, DYN):
        return as_made_map
    if isinstance(kind, MapType | RecordType):
        return as_map
    if isinstance(kind, OptionalType):
        return as_optional
    return SCALARS.get(kind, as_uint if str(kind) == "uint" else cook)


def solid_of(kind: Type) -> Callable[[object], object]:
    """Return the function that checks all of a value against a type."""
    if isinstance(kind, ListType | MapType | RecordType):
        return lambda value: solid(value, kind)
    return check_of(kind)


def solid(value: object, kind: Type) -> object:
    """Check all of a list or map against its declared type.

    Returns:
        A copy whose elements are values of expressions.

    Raises:
        EvaluationError: Something in it has another type.
    """
    if type(value) is List or type(value) is Map:
        return value
    if isinstance(kind, ListType):
        check = solid_of(kind.element)
        return List([check(item) for item in elements(value)])
    if isinstance(kind, MapType):
        check = solid_of(kind.value)
        return Map({key: check(item) for key, item in _items(value)})
    if isinstance(kind, RecordType):
        return _solid_record(value, kind)
    return check_of(kind)(value)


def _items(value: object) -> Sequence[tuple[str, object]]:
    if not is_map(value):
        raise EvaluationError("not a map")
    return [(as_string(key), item) for key, item in value.items()]  # type: ignore[attr-defined]


def _solid_record(value: object, kind: RecordType) -> Map:
    result = Map()
    for key, item in _items(value):
        declared = kind.fields.get(key)
        if declared is None:
            result[key] = cook(item)
        elif item is not None or not declared.optional:
            result[key] = solid_of(declared.type)(item)
    for key, declared in kind.fields.items():
        if not declared.optional and key not in result:
            raise EvaluationError("a field is missing")
    return result
