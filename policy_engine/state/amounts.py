"""Exact amounts as texts: whole numbers of any length, and fractions."""

from fractions import Fraction

__all__ = ["amount_of", "written"]


def written(amount: int | Fraction) -> str:
    """Return an amount as a text, such as `3` or `1/10`."""
    return str(amount)


def amount_of(text: str) -> int | Fraction:
    """Return the amount that was written."""
    return Fraction(text) if "/" in text else int(text)
