"""One SQLite file: a connection that is safe for threads, forks, other processes and doubt.

Theory of operation. A process has one connection to a file, and a lock that one transaction holds
at a time. SQLite keeps the file whole whatever happens to the process; in WAL mode those that
read do not wait for who writes, and who writes waits for another process until `timeout`, in naps
as short as a transaction: SQLite's own are so long that one of many processes would starve. SQLite
connections must not cross a fork, so the connection is closed before one, and opened anew by
whoever needs it after. A file that was moved away or replaced while it was open is an error: to
go on with it would be to decide by what nobody else sees.
"""

import os
import random
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Final, Literal, TypeAlias
from weakref import WeakSet

from policy_engine.errors import StoreError

__all__ = ["Database", "Durability", "Schema"]

Durability: TypeAlias = Literal["normal", "full"]

_SYNCHRONOUS: Final = {"normal": "NORMAL", "full": "FULL"}
_LOOK: Final = "SELECT id FROM file"
"""Takes the view of a transaction, so that nothing after it is in anybody's way."""
_SHORTEST_NAP: Final = 0.0001
_LONGEST_NAP: Final = 0.001
_LIVING: Final[WeakSet["Database"]] = WeakSet()


@dataclass(frozen=True, slots=True)
class Schema:
    """What a file holds."""

    holds: str
    """In words, such as `approvals`."""
    mark: int
    """The application id in the file's head, which says that it is such a file."""
    version: int
    script: tuple[str, ...]
    """The statements that make it, run once in one transaction."""


class Database:
    """A file of one schema, made where there is none, with mode 0600.

    Args:
        path: Where; its folder must exist.
        schema: What it holds.
        durability: `normal`: what was written survives the end of the process at any instant.
            `full`: it survives a power cut too, which costs a wait for the disk each time.
        timeout: For how many seconds to wait for another process that writes.

    Raises:
        StoreError: The file cannot be used, or is none of these.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        schema: Schema,
        *,
        durability: Durability = "normal",
        timeout: float = 5.0,
    ) -> None:
        self._connection: sqlite3.Connection | None = None
        if durability not in _SYNCHRONOUS:
            raise StoreError(f'"{durability}" is not a durability', 'write "normal" or "full"')
        named = os.fspath(path)
        if not named or named == ":memory:":
            raise StoreError(
                f"{schema.holds} that last need a file",
                "give a path; what need not last is kept by the store in memory",
            )
        # A process that changes its folder later goes on with the same file.
        self.path: Final = os.path.abspath(named)  # noqa: PTH100 - Path.absolute keeps ".."
        """Where the file is."""
        self._schema = schema
        self._durability = durability
        self._timeout = timeout
        self._file: tuple[int, int] | None = None
        self._id: bytes | None = None
        self._lock = RLock()
        self._is_inside = False
        with self.reading:
            _LIVING.add(self)

    def __repr__(self) -> str:
        return f"Database({self.path!r}, {self._schema.holds!r}, {self._durability!r})"

    def __del__(self) -> None:
        self._drop()

    @property
    def reading(self) -> "Transaction":
        """A view of the file at one instant."""
        return Transaction(self, "BEGIN")

    @property
    def writing(self) -> "Transaction":
        """What is written inside is written whole or not at all; nobody else writes meanwhile."""
        return Transaction(self, "BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close the connection; whoever uses the file after this opens it anew."""
        with self._lock:
            self._drop()

    def enter(self, begin: str) -> sqlite3.Connection:
        """Begin a transaction, and hold the lock until `leave`.

        Raises:
            StoreError: The file cannot be used, or this thread is inside a transaction already.
        """
        self._lock.acquire()
        if self._is_inside:
            self._lock.release()
            raise StoreError(f'"{self.path}" is used inside a transaction of its own')
        try:
            connection = self._connected()
            if connection.in_transaction:  # one that an interrupt cut off
                connection.execute("ROLLBACK")
            self._begin(connection, begin)
            self._is_inside = True
        except BaseException as error:
            self._lock.release()
            if isinstance(error, sqlite3.Error):
                raise self._failed(error) from error
            raise
        return connection

    def leave(self, error: BaseException | None) -> None:
        """End the transaction: commit it, or undo it where there was an error.

        Raises:
            StoreError: It could not be committed, so it is undone; or SQLite raised the error.
        """
        connection = self._connection
        try:
            if connection is None:
                raise StoreError(f'"{self.path}" was closed inside a transaction')
            if error is None:
                connection.execute("COMMIT")
            elif isinstance(error, sqlite3.Error):
                raise error
        except sqlite3.Error as failure:
            raise self._failed(failure) from failure
        finally:
            try:
                if connection is not None and connection.in_transaction:
                    connection.execute("ROLLBACK")
            except sqlite3.Error:
                self._drop()
            finally:
                self._is_inside = False
                self._lock.release()

    def before_fork(self) -> None:
        """Close the connection, and let nobody open one until `after_fork`."""
        self._lock.acquire()
        self._drop()

    def after_fork(self) -> None:
        """Let the connection be opened again, in whichever process this is."""
        self._lock.release()

    def _begin(self, connection: sqlite3.Connection, begin: str) -> None:
        """Begin a transaction, and wait for other processes that are in the way."""
        until = 0.0
        while True:
            try:
                for statement in (begin, _LOOK):
                    connection.execute(statement)
            except sqlite3.Error as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if _code(error) not in _BUSY:
                    raise
                until = until or time.monotonic() + self._timeout
                if time.monotonic() >= until:
                    raise
                _nap()
            else:
                return

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> sqlite3.Connection:
        """Return the connection, opened where there is none, to the file that it always was."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 - a fraction of the cost of a Path
        except OSError as error:
            if self._file is not None:
                raise self._moved() from error
        else:
            if self._file is not None and (found.st_dev, found.st_ino) != self._file:
                raise self._moved()
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        try:
            # Opened only to be made: closing a file that is there would drop this process's locks.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            pass
        except (OSError, ValueError) as error:
            folder = Path(self.path).parent
            why = (getattr(error, "strerror", None) or str(error)).lower()
            raise StoreError(
                f'"{self.path}" cannot be made: {why}',
                None if folder.is_dir() else f'create the folder "{folder}"',
            ) from error
        until = time.monotonic() + self._timeout
        while True:
            connection = sqlite3.connect(
                self.path,
                timeout=0.0,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
            try:
                self._prepare(connection)
            except sqlite3.Error as error:
                connection.close()
                if _code(error) not in _BUSY or time.monotonic() >= until:
                    raise
                _nap()
            except BaseException:
                connection.close()
                raise
            else:
                found = os.stat(self.path)  # noqa: PTH116 - as above
                self._file = (found.st_dev, found.st_ino)
                return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """See that the file is of the schema, or make it so where it is empty."""
        connection.execute("BEGIN")  # so that what is looked at is of one instant
        is_new = self._is_empty(connection)
        connection.execute("COMMIT")
        (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        if mode != "wal":
            raise StoreError(
                f'"{self.path}" cannot be shared between processes where it is',
                "put it on a local disk: SQLite's WAL mode does not work there",
            )
        connection.execute(f"PRAGMA synchronous={_SYNCHRONOUS[self._durability]}")
        connection.execute("PRAGMA fullfsync=1")  # where a disk would only say so (macOS)
        # What was forgotten is wiped from the pages that are written anyway.
        connection.execute("PRAGMA secure_delete=FAST")
        connection.execute("BEGIN IMMEDIATE")
        if is_new and self._is_empty(connection):
            connection.execute("CREATE TABLE file (id BLOB NOT NULL)")
            connection.execute("INSERT INTO file VALUES (?)", (os.urandom(16),))
            for statement in self._schema.script:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={self._schema.mark}")
            connection.execute(f"PRAGMA user_version={self._schema.version}")
        connection.execute("COMMIT")
        (found,) = connection.execute("SELECT id FROM file").fetchone()
        if self._id not in (None, found):
            raise self._moved()
        self._id = found

    def _is_empty(self, connection: sqlite3.Connection) -> bool:
        """Tell whether the file is still to be made.

        Raises:
            StoreError: It holds something else.
        """
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if (mark, version, tables) == (0, 0, 0):
            return True
        if mark != self._schema.mark:
            raise StoreError(
                f'"{self.path}" is a database, but does not hold {self._schema.holds}',
                "give each store a file of its own",
            )
        if version != self._schema.version:
            raise StoreError(
                f'"{self.path}" is of version {version}, and this policy-engine knows '
                f"version {self._schema.version}",
                "a newer policy-engine wrote it: update this one",
            )
        return False

    def _moved(self) -> StoreError:
        return StoreError(
            f'"{self.path}" was moved, removed or replaced while it was in use',
            "put it back, or restart the process to begin with the file that is there",
        )

    def _failed(self, error: sqlite3.Error) -> StoreError:
        code = _code(error)
        what, hint = _FAILURES.get(code, ("cannot be used", None))
        if code in _BUSY:
            hint = f"another process has been writing for more than {self._timeout:g} seconds"
        return StoreError(f'"{self.path}" {what}: {str(error).lower()}', hint)


class Transaction:
    """A transaction of a database: `with` gives the connection, and ends it."""

    __slots__ = ("_begin", "_database")

    def __init__(self, database: Database, begin: str) -> None:
        self._database = database
        self._begin = begin

    def __enter__(self) -> sqlite3.Connection:
        return self._database.enter(self._begin)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.leave(error)


_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_RIGHTS: Final = "the process may not write the file and its folder; WAL mode writes beside it"
_FAILURES: Final[dict[int, tuple[str, str | None]]] = {
    sqlite3.SQLITE_BUSY: ("is locked", None),
    sqlite3.SQLITE_LOCKED: ("is locked", None),
    sqlite3.SQLITE_PROTOCOL: ("is locked", None),
    sqlite3.SQLITE_FULL: ("has no room", "make room on the disk"),
    sqlite3.SQLITE_READONLY: ("cannot be written", _RIGHTS),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", _RIGHTS),
    sqlite3.SQLITE_PERM: ("cannot be opened", _RIGHTS),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "look at the disk and its room"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "put a copy in its place, and restart"),
    sqlite3.SQLITE_NOTADB: ("is not a database", "give a path where there is no file yet"),
}


def _nap() -> None:
    """Sleep for about as long as others need; of chance, so that each gets its turn."""
    time.sleep(random.uniform(_SHORTEST_NAP, _LONGEST_NAP))  # noqa: S311 - no secret


def _code(error: sqlite3.Error) -> int:
    """Return the primary code of an error; 0 where SQLite did not raise it."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def _before_fork() -> None:
    for database in list(_LIVING):
        database.before_fork()
        _FORKING.append(database)


def _after_fork() -> None:
    while _FORKING:
        _FORKING.pop().after_fork()


_FORKING: Final[list[Database]] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )
