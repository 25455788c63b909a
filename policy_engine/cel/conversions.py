"""Conversions between types, and the types as values."""

from binascii import a2b_base64, b2a_base64
from typing import Any, Final

from policy_engine.cel.arithmetic import to_int, to_timestamp, to_uint
from policy_engine.cel.meter import Meter
from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import LISTS, NANOSECONDS, as_string, is_map
from policy_engine.cel.timestamps import (
    duration_text,
    parse_duration,
    parse_timestamp,
    timestamp_text,
)
from policy_engine.cel.values import (
    TYPE_VALUES,
    Address,
    Duration,
    Network,
    OptionalValue,
    Timestamp,
    TypeValue,
    Uint,
)

__all__ = ["to_bool", "to_bytes", "to_double", "to_string", "type_of"]

_TRUE: Final = frozenset({"1", "t", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "false", "FALSE", "False"})
_NAMES: Final = {
    bool: "bool", int: "int", Uint: "uint", float: "double", str: "string", bytes: "bytes",
    type(None): "null_type", TypeValue: "type", OptionalValue: "optional_type",
    Timestamp: "google.protobuf.Timestamp", Duration: "google.protobuf.Duration",
    Address: "net.IP", Network: "net.CIDR",
}  # fmt: skip


def dyn(value: object) -> object:
    """Return a value; its static type is forgotten."""
    return value


def _cut(value: float) -> int:
    if value - value != 0.0:
        raise EvaluationError("not a finite number")
    return int(value)


def _decimal(text: str, *, signed: bool) -> int:
    digits = text[1:] if signed and text[:1] in ("-", "+") else text
    if not digits.isascii() or not digits.isdigit() or len(digits) > 40:
        raise EvaluationError("not an integer")
    return int(text)


def int_of(value: Any) -> int:
    """Return a value as int; a double loses its fraction."""
    kind = type(value)
    if kind is int:
        return value  # type: ignore[no-any-return]
    if kind is Uint:
        return to_int(int(value))
    if kind is float:
        number = _cut(value)
        if not -(2**63) < number < 2**63:
            raise EvaluationError("an integer of more than 64 bits")
        return number
    if kind is str:
        return to_int(_decimal(value, signed=True))
    if kind is Timestamp:
        return int(value) // NANOSECONDS
    if kind is Duration:
        return int(value) // NANOSECONDS
    raise EvaluationError("not an integer")


def uint_of(value: Any) -> Uint:
    """Return a value as uint; a double loses its fraction."""
    kind = type(value)
    if kind is Uint:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return to_uint(value)
    if kind is float:
        return to_uint(_cut(value)) if value >= 0 else to_uint(-1)
    if kind is str:
        return to_uint(_decimal(value, signed=False))
    raise EvaluationError("not an unsigned integer")


def to_double(value: Any) -> float:
    """Return a value as double."""
    kind = type(value)
    if kind is float:
        return value  # type: ignore[no-any-return]
    if kind is int or kind is Uint:
        return float(value)
    if kind is str and value.isascii() and "_" not in value and len(value) <= 400:
        return float(value) if value == value.strip() else _not_a_number()
    return _not_a_number()


def _not_a_number() -> float:
    raise EvaluationError("not a number")


def to_bool(value: object) -> bool:
    """Return a value as bool."""
    if value is True or value is False:
        return value
    if type(value) is str:
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
    raise EvaluationError("neither true nor false")


def double_text(value: float) -> str:
    """Return a double in the shortest form that reads back the same."""
    return repr(value).removesuffix(".0")


def to_string(meter: Meter, value: Any) -> str:
    """Return a value as string."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is Uint:
        return int.__repr__(value)
    if kind is float:
        return double_text(value)
    if kind is bytes:
        meter.grow(len(value))
        return value.decode()  # type: ignore[no-any-return]
    if kind is Timestamp:
        return timestamp_text(value)
    if kind is Duration:
        return duration_text(value)
    if kind is Address or kind is Network:
        return str(value.value)
    raise EvaluationError("this has no text form")


def to_bytes(meter: Meter, value: object) -> bytes:
    """Return a string as the bytes of its UTF-8."""
    if type(value) is bytes:
        return value
    text = as_string(value)
    meter.grow(4 * len(text))
    return text.encode()


def to_timestamp_value(value: object) -> Timestamp:
    """Return a text or seconds since 1970 as timestamp."""
    if type(value) is Timestamp:
        return value
    if type(value) is int:
        return to_timestamp(value * NANOSECONDS)
    return parse_timestamp(as_string(value))


def to_duration_value(value: object) -> Duration:
    """Return a text as duration."""
    return value if type(value) is Duration else parse_duration(as_string(value))


def type_of(value: object) -> TypeValue:
    """Return the type of a value."""
    name = _NAMES.get(type(value))
    if name is None:
        name = "list" if type(value) in LISTS else "map" if is_map(value) else None
    if name is None:
        raise EvaluationError("a value of no type")
    return TYPE_VALUES[name]


def base64_encode(meter: Meter, value: object) -> str:
    """Return bytes in base 64."""
    if type(value) is not bytes:
        raise EvaluationError("not bytes")
    meter.grow(2 * len(value) + 4)
    return b2a_base64(value, newline=False).decode()


def base64_decode(meter: Meter, value: object) -> bytes:
    """Return the bytes of a text in base 64, with or without padding."""
    text = as_string(value)
    meter.grow(len(text))
    padded = text if text.endswith("=") else text + "=" * (-len(text) % 4)
    return a2b_base64(padded, strict_mode=True)
