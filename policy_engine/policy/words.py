"""Words of messages: near names, choices, what a value is."""

import re
from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

__all__ = ["choices", "did_you_mean", "kind_of", "nearest", "number", "quoted"]

_MAX_SHOWN: Final = 60
_MAX_CHOICES: Final = 24
_WHOLE: Final = 1e15
"""Above, not every whole number is one that a float can be."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, or None."""
    names = sorted(set(known) - {name})
    folded = {_folded(known_name): known_name for known_name in names}
    if _folded(name) in folded:
        return folded[_folded(name)]
    close = get_close_matches(name[:200], names, n=1, cutoff=0.7)
    longer = [known_name for known_name in names if len(name) > 2 and known_name.startswith(name)]
    return close[0] if close else longer[0] if len(longer) == 1 else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint with the known name that was probably meant, or None."""
    near = nearest(name, known)
    return None if near is None else f'did you mean "{near}"?'


def choices(names: Iterable[str]) -> str:
    """Write names one after the other, some of them where they are many."""
    listed = list(names)
    more = ", …" if len(listed) > _MAX_CHOICES else ""
    return ", ".join(listed[:_MAX_CHOICES]) + more


def quoted(value: object) -> str:
    """Write a value as it stands in a policy, in double quotes and not too long."""
    if isinstance(value, bool):
        return f'"{str(value).lower()}"'
    if isinstance(value, str | int | float):
        text = str(value)
        shown = text if text.isprintable() else ascii(text)[1:-1]
        return f'"{shown[:_MAX_SHOWN]}…"' if len(shown) > _MAX_SHOWN else f'"{shown}"'
    return kind_of(value)


def number(value: float) -> str:
    """Return a number as people write it: `1,000`, `0.5`."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < _WHOLE):
        return f"{int(value):,}"
    shown = f"{value:,.10g}"
    return f"{Decimal(shown):f}" if "e-" in shown else shown


def kind_of(value: object) -> str:
    """Say what a value is, such as a text or a list."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{str(value).lower()}"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list | tuple) else "a mapping"


def _folded(name: str) -> str:
    return re.sub(r"[-_ ]", "", name).casefold()
