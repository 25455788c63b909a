"""The functions of the language: one table."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from policy_engine.cel import (
    arithmetic,
    comparison,
    containers,
    conversions,
    formatting,
    mathematics,
    network,
    optionals,
    patterns,
    strings,
    timestamps,
)
from policy_engine.cel.overloads import Function, Overload
from policy_engine.cel.types import (
    BOOL,
    BYTES,
    CIDR,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    IP,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    ListType,
    MapType,
    OptionalType,
    Type,
    TypeParameter,
)

__all__ = ["FUNCTIONS"]

_A = TypeParameter("A")
_B = TypeParameter("B")
_LIST = ListType(_A)
_MAP = MapType(_A, _B)
_OPTIONAL = OptionalType(_A)
_STRINGS = ListType(STRING)
_Signature = tuple[Type, ...]


def _function(
    name: str, run: Callable[..., object], *signatures: _Signature, metered: bool = False
) -> Function:
    """Return a function that is called by its name; a signature ends with the result."""
    return Function(name, run, tuple(Overload(s[:-1], s[-1]) for s in signatures), metered)


def _method(
    name: str, run: Callable[..., object], *signatures: _Signature, metered: bool = False
) -> Function:
    """Return a function that is called on its first argument."""
    overloads = tuple(Overload(s[:-1], s[-1], member=True) for s in signatures)
    return Function(name, run, overloads, metered)


def _comparisons() -> Iterator[Function]:
    same = tuple((kind, kind, BOOL) for kind in (BOOL, STRING, BYTES, TIMESTAMP, DURATION))
    numbers = tuple((a, b, BOOL) for a in (INT, UINT, DOUBLE) for b in (INT, UINT, DOUBLE))
    yield _function("<", comparison.less, *same, *numbers)
    yield _function("<=", comparison.less_or_equal, *same, *numbers)
    yield _function(">", comparison.greater, *same, *numbers)
    yield _function(">=", comparison.greater_or_equal, *same, *numbers)
    yield _function("==", comparison.equal, (_A, _A, BOOL))
    yield _function("!=", comparison.not_equal, (_A, _A, BOOL))
    yield _function("in", comparison.contains, (_A, _LIST, BOOL), (_A, _MAP, BOOL))


def _arithmetic() -> Iterator[Function]:
    whole = ((INT, INT, INT), (UINT, UINT, UINT))
    numbers = (
        *whole,
        (DOUBLE, DOUBLE, DOUBLE),
        (INT, DOUBLE, DOUBLE),
        (DOUBLE, INT, DOUBLE),
    )
    yield _function(
        "+",
        arithmetic.add,
        *numbers,
        (STRING, STRING, STRING),
        (BYTES, BYTES, BYTES),
        (_LIST, _LIST, _LIST),
        (TIMESTAMP, DURATION, TIMESTAMP),
        (DURATION, TIMESTAMP, TIMESTAMP),
        (DURATION, DURATION, DURATION),
        metered=True,
    )
    yield _function(
        "-",
        arithmetic.subtract,
        *numbers,
        (TIMESTAMP, DURATION, TIMESTAMP),
        (TIMESTAMP, TIMESTAMP, DURATION),
        (DURATION, DURATION, DURATION),
    )
    yield _function("*", arithmetic.multiply, *numbers)
    yield _function("/", arithmetic.divide, *numbers)
    yield _function("%", arithmetic.modulo, *whole)
    yield _function("neg", arithmetic.negate, (INT, INT), (DOUBLE, DOUBLE), (DURATION, DURATION))


def _conversions() -> Iterator[Function]:
    numbers = (INT, UINT, DOUBLE, STRING)
    yield _function("dyn", conversions.dyn, (_A, DYN))
    yield _function("type", conversions.type_of, (_A, TYPE))
    yield _function("int", conversions.int_of, *((k, INT) for k in (*numbers, TIMESTAMP, DURATION)))
    yield _function("uint", conversions.uint_of, *((k, UINT) for k in numbers))
    yield _function("double", conversions.to_double, *((k, DOUBLE) for k in numbers))
    yield _function("bool", conversions.to_bool, (BOOL, BOOL), (STRING, BOOL))
    texts = (*numbers, BOOL, BYTES, TIMESTAMP, DURATION, IP, CIDR)
    yield _function("string", conversions.to_string, *((k, STRING) for k in texts), metered=True)
    yield _function("bytes", conversions.to_bytes, (BYTES, BYTES), (STRING, BYTES), metered=True)
    yield _function(
        "timestamp",
        conversions.to_timestamp_value,
        *((k, TIMESTAMP) for k in (STRING, INT, TIMESTAMP)),
    )
    yield _function(
        "duration", conversions.to_duration_value, *((k, DURATION) for k in (STRING, DURATION))
    )
    yield _function("base64.encode", conversions.base64_encode, (BYTES, STRING), metered=True)
    yield _function("base64.decode", conversions.base64_decode, (STRING, BYTES), metered=True)


def _strings() -> Iterator[Function]:
    sized = (STRING, BYTES, _LIST, _MAP)
    both = [Overload((k,), INT, member=m) for k in sized for m in (False, True)]
    yield Function("size", containers.size, tuple(both))
    predicate = (STRING, STRING, BOOL)
    yield _method("startsWith", strings.starts_with, predicate)
    yield _method("endsWith", strings.ends_with, predicate)
    yield _method("contains", strings.contains_text, predicate)
    yield Function(
        "matches",
        patterns.matches,
        tuple(Overload((STRING, STRING), BOOL, member=m) for m in (False, True)),
    )
    yield _method("charAt", strings.char_at, (STRING, INT, STRING))
    found = ((STRING, STRING, INT), (STRING, STRING, INT, INT))
    yield _method("indexOf", strings.index_of, *found)
    yield _method("lastIndexOf", strings.last_index_of, *found)
    yield _method(
        "join", strings.join, (_STRINGS, STRING), (_STRINGS, STRING, STRING), metered=True
    )
    yield _method("lowerAscii", strings.lower_ascii, (STRING, STRING), metered=True)
    yield _method("upperAscii", strings.upper_ascii, (STRING, STRING), metered=True)
    yield _method(
        "replace",
        strings.replace,
        (STRING, STRING, STRING, STRING),
        (STRING, STRING, STRING, INT, STRING),
        metered=True,
    )
    yield _method(
        "split", strings.split, (STRING, STRING, _STRINGS), (STRING, STRING, INT, _STRINGS),
        metered=True,
    )  # fmt: skip
    yield _method(
        "substring", strings.substring, (STRING, INT, STRING), (STRING, INT, INT, STRING),
        metered=True,
    )  # fmt: skip
    yield _method("trim", strings.trim, (STRING, STRING), metered=True)
    yield _method("reverse", strings.reverse, (STRING, STRING), metered=True)
    yield _method("format", formatting.format_text, (STRING, ListType(DYN), STRING), metered=True)
    yield _function("strings.quote", strings.quote, (STRING, STRING), metered=True)


def _mathematics() -> Iterator[Function]:
    numbers = (INT, UINT, DOUBLE)
    for name, run in (("greatest", mathematics.greatest), ("least", mathematics.least)):
        overloads = [Overload((k,), k, variadic=True) for k in numbers]
        overloads += [Overload((ListType(k),), k) for k in numbers]
        overloads.append(Overload((DYN, DYN), DYN, variadic=True))
        yield Function(f"math.{name}", run, tuple(overloads))
    for name, change in (
        ("ceil", mathematics.ceil),
        ("floor", mathematics.floor),
        ("round", mathematics.round_half_away),
        ("trunc", mathematics.trunc),
    ):
        yield _function(f"math.{name}", change, (DOUBLE, DOUBLE))
    for name, test in (
        ("isNaN", mathematics.is_nan),
        ("isInf", mathematics.is_inf),
        ("isFinite", mathematics.is_finite),
    ):
        yield _function(f"math.{name}", test, (DOUBLE, BOOL))
    yield _function("math.abs", mathematics.absolute, *((k, k) for k in numbers))
    yield _function("math.sign", mathematics.sign, *((k, k) for k in numbers))
    yield _function("math.sqrt", mathematics.square_root, *((k, DOUBLE) for k in numbers))
    for name, combine in (
        ("bitOr", mathematics.bit_or),
        ("bitAnd", mathematics.bit_and),
        ("bitXor", mathematics.bit_xor),
    ):
        yield _function(f"math.{name}", combine, (INT, INT, INT), (UINT, UINT, UINT))
    yield _function("math.bitNot", mathematics.bit_not, (INT, INT), (UINT, UINT))
    shifts = ((INT, INT, INT), (UINT, INT, UINT))
    yield _function("math.bitShiftLeft", mathematics.shift_left, *shifts)
    yield _function("math.bitShiftRight", mathematics.shift_right, *shifts)


def _times() -> Iterator[Function]:
    local = ((TIMESTAMP, INT), (TIMESTAMP, STRING, INT))
    for name, run in (
        ("getFullYear", timestamps.full_year),
        ("getMonth", timestamps.month),
        ("getDate", timestamps.date),
        ("getDayOfMonth", timestamps.day_of_month),
        ("getDayOfWeek", timestamps.day_of_week),
        ("getDayOfYear", timestamps.day_of_year),
    ):
        yield _method(name, run, *local)
    for name, either in (
        ("getHours", timestamps.hours),
        ("getMinutes", timestamps.minutes),
        ("getSeconds", timestamps.seconds),
        ("getMilliseconds", timestamps.milliseconds),
    ):
        yield _method(name, either, *local, (DURATION, INT))


def _optionals() -> Iterator[Function]:
    yield _function("optional.of", optionals.of, (_A, _OPTIONAL))
    yield _function("optional.none", optionals.none, (OptionalType(DYN),))
    yield _function("optional.ofNonZeroValue", optionals.of_non_zero, (_A, _OPTIONAL))
    yield _method("hasValue", optionals.has_value, (_OPTIONAL, BOOL))
    yield _method("value", optionals.value_of, (_OPTIONAL, _A))
    yield _method("or", optionals.or_optional, (_OPTIONAL, _OPTIONAL, _OPTIONAL))
    yield _method("orValue", optionals.or_value, (_OPTIONAL, _A, _A))


def _network() -> Iterator[Function]:
    yield _function("isIP", network.is_ip, (STRING, BOOL))
    yield _function("isCIDR", network.is_cidr, (STRING, BOOL))
    yield _function("ip.isCanonical", network.is_canonical, (STRING, BOOL))
    yield Function(
        "ip",
        network.ip,
        (Overload((STRING,), IP), Overload((IP,), IP), Overload((CIDR,), IP, member=True)),
    )
    yield _function("cidr", network.cidr, (STRING, CIDR), (CIDR, CIDR))
    yield _method("family", network.family, (IP, INT))
    for name, test in (
        ("isUnspecified", network.is_unspecified),
        ("isLoopback", network.is_loopback),
        ("isGlobalUnicast", network.is_global_unicast),
        ("isLinkLocalMulticast", network.is_link_local_multicast),
        ("isLinkLocalUnicast", network.is_link_local_unicast),
    ):
        yield _method(name, test, (IP, BOOL))
    yield _method("containsIP", network.contains_ip, (CIDR, IP, BOOL), (CIDR, STRING, BOOL))
    yield _method("containsCIDR", network.contains_cidr, (CIDR, CIDR, BOOL), (CIDR, STRING, BOOL))
    yield _method("masked", network.masked, (CIDR, CIDR))
    yield _method("prefixLength", network.prefix_length, (CIDR, INT))


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        function.name: function
        for family in (
            _comparisons,
            _arithmetic,
            _conversions,
            _strings,
            _mathematics,
            _times,
            _optionals,
            _network,
        )
        for function in family()
    }
)
"""Every function by its name; operators have their sign, a negative number's is `neg`."""
