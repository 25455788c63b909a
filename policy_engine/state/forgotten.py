"""Which keys were dropped: in bounded memory, and never wrongly no."""

from hashlib import blake2b
from typing import Final

__all__ = ["Forgotten"]

_BYTES: Final = 8 * 1024 * 1024
_PROBES: Final = 16


class Forgotten:
    """Remembers dropped keys in a Bloom filter (Bloom 1970).

    A key that was added is always found. One that was not is found with a chance below 1 in
    10^10 for the first million keys, and more often from there on: it denies more, never less.
    """

    __slots__ = ("_bits",)

    def __init__(self) -> None:
        self._bits: bytearray | None = None

    def add(self, key: tuple[object, ...]) -> None:
        """Remember a key."""
        if self._bits is None:
            self._bits = bytearray(_BYTES)
        for bit in _probes(key):
            self._bits[bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, key: tuple[object, ...]) -> bool:
        bits = self._bits
        return bits is not None and all(bits[bit >> 3] >> (bit & 7) & 1 for bit in _probes(key))


def _probes(key: tuple[object, ...]) -> list[int]:
    # Two halves of one digest give all probes (Kirsch and Mitzenmacher 2006).
    digest = blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    first = int.from_bytes(digest[:8], "big")
    step = int.from_bytes(digest[8:], "big") | 1
    return [(first + i * step) % (_BYTES * 8) for i in range(_PROBES)]
