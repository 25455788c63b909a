"""Text that is safe to print: what a terminal would obey is written as an escape."""

import unicodedata
from typing import Final

__all__ = ["clipped", "printable"]

_OBEYED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """Return the text with control, invisible and unassigned characters as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escaped(c) if unicodedata.category(c) in _OBEYED and c != "\t" else c for c in text
    )


def clipped(text: str, length: int = 60) -> str:
    """Return the text printable and no longer than this many characters."""
    shown = printable(text)
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
