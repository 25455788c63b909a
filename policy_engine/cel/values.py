"""The values of expressions that Python has no class for."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from types import MappingProxyType
from typing import Final

__all__ = [
    "CANNOT_TELL",
    "FALSE_KEY",
    "INT_MAX",
    "INT_MIN",
    "NONE",
    "TRUE_KEY",
    "UINT_MAX",
    "Address",
    "BoolKey",
    "CannotTell",
    "Duration",
    "List",
    "Map",
    "Network",
    "OptionalValue",
    "Timestamp",
    "TypeValue",
    "Uint",
]

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1
UINT_MAX: Final = 2**64 - 1


class Uint(int):
    """An unsigned integer."""

    __slots__ = ()


class Timestamp(int):
    """An instant, in nanoseconds since 1970 in UTC."""

    __slots__ = ()


class Duration(int):
    """A span of time in nanoseconds."""

    __slots__ = ()


class List(tuple[object, ...]):
    """A list whose elements are values already; a list of a request is checked as it is read."""

    __slots__ = ()


class Map(dict[object, object]):
    """A map whose values are values already; its bool keys are `BoolKey`s."""

    __slots__ = ()


class BoolKey:
    """A bool as a key, which Python would mix up with 0 and 1."""

    __slots__ = ("value",)

    def __init__(self, value: bool) -> None:  # noqa: FBT001 - it stands for that bool
        self.value = value


TRUE_KEY: Final = BoolKey(True)
FALSE_KEY: Final = BoolKey(False)


class OptionalValue:
    """An optional; `NONE` is the empty one."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


NONE: Final = OptionalValue(None)


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address; an IPv4 address mapped into IPv6 is the IPv4 address."""

    value: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Network:
    """A CIDR block, with the address that it was written with."""

    value: IPv4Interface | IPv6Interface


class TypeValue:
    """A type as a value."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


class CannotTell:
    """The type of `CANNOT_TELL`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "CANNOT_TELL"

    def __bool__(self) -> bool:
        raise TypeError("cannot tell is neither true nor false")


CANNOT_TELL: Final = CannotTell()
"""What a value expression yields where it cannot tell."""

TYPE_VALUES: Mapping[str, TypeValue] = MappingProxyType(
    {
        name: TypeValue(name)
        for name in (
            "bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type",
            "optional_type", "google.protobuf.Timestamp", "google.protobuf.Duration",
            "net.IP", "net.CIDR",
        )
    }
)  # fmt: skip
"""The names of types that an expression may use as values."""
