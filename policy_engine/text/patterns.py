"""The patterns of every rule, each under an id."""

__all__ = ["Patterns"]


class Patterns:
    """Collects the patterns of every rule, so that one scan finds them all."""

    def compile(self, *, warm: bool = True) -> None:
        """Stand in until the scanner is built."""
