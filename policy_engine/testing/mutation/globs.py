"""Globs that match fewer names than they should, or more."""

from collections.abc import Iterator

__all__ = ["longer", "narrower", "wider"]


def narrower(glob: str) -> Iterator[str]:
    """Yield a glob of several stars without one of those at its ends."""
    if glob.count("*") > 1:
        if glob.startswith("*"):
            yield glob[1:]
        if glob.endswith("*"):
            yield glob[:-1]


def longer(glob: str) -> Iterator[str]:
    """Yield a glob of one star with a sign more next to it."""
    if glob.count("*") == 1 and len(glob) > 1:
        before, _, after = glob.partition("*")
        yield f"{before}x*{after}" if before else f"*x{after}"


def wider(glob: str) -> Iterator[str]:
    """Yield a glob without the sign next to one of its stars."""
    for i, sign in enumerate(glob):
        if sign == "*" and i > 0 and glob[i - 1] not in "*?":
            yield glob[: i - 1] + glob[i:]
        elif sign == "*" and i == 0 and glob[1:2] not in ("", "*", "?"):
            yield glob[0] + glob[2:]
