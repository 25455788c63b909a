"""Records in a file: one line each, appended in one piece.

Theory of operation. The operating system appends each line in one write, so lines of several
threads and processes do not mix. Where it takes less than the line (a full disk), the rest is
written after it; where that fails too, the next line begins with an end of line, so that the
torn one stands alone. The same is done for a file that a killed process left torn.
"""

import os
import sys
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from time import monotonic
from typing import Final, Literal
from weakref import WeakSet

from policy_engine.errors import AuditError

if sys.platform == "darwin":
    import fcntl

__all__ = ["FileSink"]

_FLAGS: Final = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_LOOK_AGAIN: Final = 0.25
"""Seconds between two looks at whether the file is still the one at the path."""

_sinks: WeakSet["FileSink"] = WeakSet()


class FileSink:
    """Appends records to a file, which only its owner may read where it is created here.

    A file that was moved away or removed is created anew within a quarter of a second.

    Args:
        path: The file; its folder must exist.
        durability: `normal`: a record survives the end of this process at any instant. `full`:
            it survives a power cut too, which costs a wait for the disk.

    Raises:
        AuditError: The file cannot be opened.
    """

    def __init__(
        self, path: str | os.PathLike[str], durability: Literal["normal", "full"] = "normal"
    ) -> None:
        if durability not in ("normal", "full"):
            raise AuditError(f'"{durability}" is not a durability', 'write "normal" or "full"')
        # A process that changes its folder later goes on writing to the same file.
        self._path = os.path.abspath(os.fspath(path))  # noqa: PTH100 - Path.absolute keeps ".."
        self._full = durability == "full"
        self._lock = Lock()
        self._descriptor = -1
        self._file = (0, 0)
        self._torn = False
        self._look_at = 0.0
        self._open()
        _sinks.add(self)

    def __repr__(self) -> str:
        return f"FileSink({self._path!r}, {'full' if self._full else 'normal'!r})"

    def write(self, line: bytes) -> None:
        """Append one record.

        Raises:
            AuditError: It is not certain that the whole record is in the file.
        """
        with self._lock:
            if self._descriptor < 0:
                raise AuditError(f'the record file "{self._path}" is closed')
            if self._full or monotonic() >= self._look_at:
                self._look()
            data = b"\n%b\n" % line if self._torn else line + b"\n"
            try:
                written = os.write(self._descriptor, data)
                if written != len(data):
                    self._write_rest(data, written)
                self._torn = False
                if self._full:
                    _flush(self._descriptor)
            except OSError as error:
                raise self._failed("written to", error) from error

    def close(self) -> None:
        """Close the file; what is written after this is an error."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = -1

    def renew_lock(self) -> None:
        """Forget a lock that another thread held while the process was forked."""
        self._lock = Lock()

    def _write_rest(self, data: bytes, written: int) -> None:
        self._torn = True
        while written < len(data):
            count = os.write(self._descriptor, data[written:])
            if not count:
                raise OSError(0, "nothing more was taken")
            written += count

    def _look(self) -> None:
        """Open the file anew where the path names another one by now."""
        try:
            found = os.stat(self._path)  # noqa: PTH116 - a fraction of the cost of a Path
        except FileNotFoundError:
            moved = True
        except OSError as error:
            raise self._failed("found", error) from error
        else:
            moved = (found.st_dev, found.st_ino) != self._file
        if moved:
            before = self._descriptor
            self._open()
            try:
                os.close(before)
            except OSError as error:
                raise self._failed("closed", error) from error
        self._look_at = monotonic() + _LOOK_AGAIN

    def _open(self) -> None:
        try:
            descriptor = os.open(self._path, _FLAGS, 0o600)
        except (OSError, ValueError) as error:
            raise self._failed("opened", error) from error
        found = os.fstat(descriptor)
        try:
            if self._full:
                _flush(descriptor)
                _flush_folder(self._path)
        except OSError as error:
            os.close(descriptor)
            raise self._failed("kept through a power cut", error) from error
        self._file = (found.st_dev, found.st_ino)
        self._torn = S_ISREG(found.st_mode) and _is_torn(self._path, found.st_size)
        self._descriptor = descriptor

    def _failed(self, what: str, error: OSError | ValueError) -> AuditError:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        folder = Path(self._path).parent
        hint = None if folder.is_dir() else f'create the folder "{folder}"'
        return AuditError(f'the record file "{self._path}" could not be {what}: {why}', hint)


def _is_torn(path: str, size: int) -> bool:
    """Tell whether the last line has no end; where it cannot be told, it may have none."""
    if not size:
        return False
    try:
        with Path(path).open("rb") as file:
            file.seek(size - 1)
            return file.read(1) != b"\n"
    except OSError:
        return True


def _flush(descriptor: int) -> None:
    """Wait until the disk itself has it."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        getattr(os, "fdatasync", os.fsync)(descriptor)


def _flush_folder(path: str) -> None:
    """Wait until the disk has the name of the file."""
    if os.name != "posix":
        return
    folder = os.open(Path(path).parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _renew_locks() -> None:
    for sink in _sinks:
        sink.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
