"""Decisions in a file, one a line; under its own name only when it is whole."""

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from policy_engine.cli.ending import CannotRunError
from policy_engine.decision import Decision
from policy_engine.report.printable import printable

__all__ = ["DecisionFile"]

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))


class DecisionFile:
    """Writes `PATH.partial` and renames it to `PATH` at the end; a device or pipe is written to.

    Args:
        path: Where the decisions go.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = path if _is_special(path) else path.with_name(path.name + ".partial")
        self._file: TextIO = self._written.open("w", encoding="ascii", newline="\n")

    def write(self, decision: Decision) -> None:
        """Append a decision.

        Raises:
            CannotRunError: There is no room for it, or the reader is gone.
        """
        try:
            self._file.write(_ENCODER.encode(decision.to_wire()) + "\n")
        except OSError as error:
            raise self._failed(error) from None

    def finish(self) -> None:
        """Give the whole file its name.

        Raises:
            CannotRunError: It could not be written to its end.
        """
        try:
            self._file.flush()
            if self._written is not self._path:
                os.fsync(self._file.fileno())
            self._file.close()
            if self._written is not self._path:
                self._written.replace(self._path)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> CannotRunError:
        return CannotRunError(
            f"{printable(str(self._written))}: {error.strerror or error}: it is not whole"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What could not be written was said already.
        with suppress(OSError):
            self._file.close()


def _is_special(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False
