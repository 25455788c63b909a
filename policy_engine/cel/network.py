"""IP addresses and CIDR blocks."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import Final

from policy_engine.cel.problems import EvaluationError
from policy_engine.cel.reading import as_string
from policy_engine.cel.values import Address, Network

__all__ = ["cidr", "ip"]

_BROADCAST: Final = IPv4Address("255.255.255.255")


def _plain(text: str) -> str:
    if "%" in text or (":" in text and "." in text) or len(text) > 64:
        raise EvaluationError("an address with a zone, or of two kinds")
    return text


def _parse(text: str) -> Address:
    try:
        found = ip_address(_plain(text))
    except ValueError:
        raise EvaluationError("not an IP address") from None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return Address(found.ipv4_mapped)
    return Address(found)


def ip(value: object) -> Address:
    """Return the address of a text, or the one that a block was written with."""
    if type(value) is Address:
        return value
    if type(value) is Network:
        return Address(value.value.ip)
    return _parse(as_string(value))


def cidr(value: object) -> Network:
    """Return the block of a text such as `10.0.0.0/8`."""
    if type(value) is Network:
        return value
    text = _plain(as_string(value))
    address, slash, length = text.partition("/")
    if not slash or not length.isascii() or not length.isdigit() or not address:
        raise EvaluationError("not a CIDR block")
    try:
        found = ip_interface(text)
    except ValueError:
        raise EvaluationError("not a CIDR block") from None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        raise EvaluationError("an IPv4 block mapped into IPv6")
    return Network(found)


def is_ip(value: object) -> bool:
    """Say whether a text is an address."""
    text = as_string(value)
    try:
        _parse(text)
    except EvaluationError:
        return False
    return True


def is_cidr(value: object) -> bool:
    """Say whether a text is a block."""
    text = as_string(value)
    try:
        cidr(text)
    except EvaluationError:
        return False
    return True


def is_canonical(value: object) -> bool:
    """Say whether an address is written in its one canonical form."""
    text = as_string(value)
    return str(_parse(text).value) == text


def _address(value: object) -> IPv4Address | IPv6Address:
    if type(value) is not Address:
        raise EvaluationError("not an IP address")
    return value.value


def _network(value: object) -> Network:
    if type(value) is not Network:
        raise EvaluationError("not a CIDR block")
    return value


def family(value: object) -> int:
    """Return 4 or 6."""
    return _address(value).version


def is_unspecified(value: object) -> bool:
    """Say whether an address is all zeros."""
    return _address(value).is_unspecified


def is_loopback(value: object) -> bool:
    """Say whether an address is the machine itself."""
    return _address(value).is_loopback


def is_global_unicast(value: object) -> bool:
    """Say whether an address is one host's beyond its link; private ones are."""
    found = _address(value)
    return not (
        found.is_unspecified
        or found.is_loopback
        or found.is_multicast
        or found.is_link_local
        or found == _BROADCAST
    )


def is_link_local_multicast(value: object) -> bool:
    """Say whether an address is a group's on one link."""
    found = _address(value)
    if isinstance(found, IPv4Address):
        return found.packed[:3] == b"\xe0\x00\x00"
    return found.packed[0] == 0xFF and found.packed[1] & 0x0F == 2


def is_link_local_unicast(value: object) -> bool:
    """Say whether an address is one host's on one link."""
    return _address(value).is_link_local


def contains_ip(block: object, value: object) -> bool:
    """Say whether a block contains an address."""
    network, address = _network(block).value.network, ip(value).value
    return address in network


def contains_cidr(block: object, value: object) -> bool:
    """Say whether a block contains all of another."""
    outer, inner = _network(block).value.network, cidr(value).value.network
    return (
        outer.version == inner.version
        and outer.prefixlen <= inner.prefixlen
        and inner.network_address in outer
    )


def masked(block: object) -> Network:
    """Return a block written with its first address."""
    network = _network(block).value.network
    return Network(ip_interface(network.with_prefixlen))


def prefix_length(block: object) -> int:
    """Return how many leading bits a block fixes."""
    return _network(block).value.network.prefixlen
