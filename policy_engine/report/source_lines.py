"""The lines of the policies that a report points at."""

from collections.abc import Sequence
from pathlib import Path

from policy_engine.errors import Location

__all__ = ["SourceLines"]


class SourceLines:
    """Reads a file when one of its lines is first wanted; a line that is not there is None."""

    def __init__(self) -> None:
        self._files: dict[str, Sequence[str]] = {}

    def at(self, location: Location) -> str | None:
        """Return the line at a location."""
        lines = self._files.get(location.path)
        if lines is None:
            lines = self._files[location.path] = _read(location.path)
        return lines[location.line - 1] if 0 < location.line <= len(lines) else None


def _read(path: str) -> Sequence[str]:
    try:
        text = Path(path).read_text(encoding="utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return ()
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
