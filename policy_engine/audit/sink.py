"""Where records go: a file, a logger, a function, or what somebody else writes."""

import inspect
import logging
import os
from collections.abc import Callable, Iterator
from io import IOBase
from typing import Protocol, TypeAlias, runtime_checkable

from policy_engine.audit.file import FileSink
from policy_engine.errors import AuditError

__all__ = ["CallableSink", "LoggingSink", "Sink", "SinkLike", "sink_of", "write"]


@runtime_checkable
class Sink(Protocol):
    """Takes records, one JSON object a line; safe for threads."""

    def write(self, line: bytes) -> None:
        """Take one record, without the end of its line.

        Whatever is raised denies what the record tells of. To return is to promise that it is
        kept.
        """


SinkLike: TypeAlias = Sink | str | os.PathLike[str] | logging.Logger | Callable[[bytes], object]


def write(sink: Sink, record: bytes) -> None:
    """Write one record.

    Raises:
        AuditError: It could not be written.
    """
    try:
        sink.write(record)
    except AuditError:
        raise
    except Exception as error:
        raise AuditError(
            f'a record could not be written: the sink raised "{type(error).__name__}"'
        ) from error


class LoggingSink:
    """Logs records; what a filter or a handler loses without raising is lost.

    Args:
        logger: Takes the records.
        level: Their level.
    """

    def __init__(self, logger: logging.Logger, level: int = logging.INFO) -> None:
        self._logger = logger
        self._level = level

    def __repr__(self) -> str:
        return f"LoggingSink({self._logger.name!r}, {self._level})"

    def write(self, line: bytes) -> None:
        """Log one record.

        Raises:
            AuditError: The record would be dropped: the logger is disabled, its level is higher,
                or no handler that it reaches takes records of this level.
        """
        if not self._logger.isEnabledFor(self._level):
            raise self._quiet()
        if not any(_takes(handler, self._level) for handler in _reached(self._logger)):
            raise self._unheard()
        self._logger.log(self._level, line.decode())

    def _quiet(self) -> AuditError:
        name, level = self._logger.name, logging.getLevelName(self._level)
        if self._logger.disabled:
            return AuditError(
                f'the logger "{name}" is disabled, so records would be lost',
                "logging.config disables the loggers that it does not name,"
                ' unless it has "disable_existing_loggers": False',
            )
        if self._logger.manager.disable >= self._level:
            return AuditError(
                f"logging.disable() drops records of the level {level}",
                "logging.disable(logging.NOTSET)",
            )
        return AuditError(
            f'the logger "{name}" drops records of the level {level}',
            f'logging.getLogger("{name}").setLevel("{level}")',
        )

    def _unheard(self) -> AuditError:
        name, level = self._logger.name, logging.getLevelName(self._level)
        if all(isinstance(handler, logging.NullHandler) for handler in _reached(self._logger)):
            return AuditError(
                f'the logger "{name}" reaches no handler, so records would be lost',
                f'logging.getLogger("{name}").addHandler(…), or logging.basicConfig() where it'
                " propagates to the root",
            )
        return AuditError(
            f'no handler that the logger "{name}" reaches takes records of the level {level}',
            f'give one of them setLevel("{level}")',
        )


def _reached(logger: logging.Logger) -> Iterator[logging.Handler]:
    """Yield the handlers that a logger's records come to."""
    at: logging.Logger | None = logger
    while at is not None:
        yield from at.handlers
        at = at.parent if at.propagate else None


def _takes(handler: logging.Handler, level: int) -> bool:
    return handler.level <= level and not isinstance(handler, logging.NullHandler)


class CallableSink:
    """Hands records to a function that is not async.

    Args:
        function: Takes one record as a line of JSON, without its end.
    """

    def __init__(self, function: Callable[[bytes], object]) -> None:
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - it is the method that may be async
        ):
            raise AuditError(
                f'"{_named(function)}" is async, and a record is written before anything goes on',
                "give a function that returns once the record is kept",
            )
        self._function = function

    def __repr__(self) -> str:
        return f"CallableSink({_named(self._function)})"

    def write(self, line: bytes) -> None:
        """Hand over one record.

        Raises:
            AuditError: The function raised, or has yet to be awaited.
        """
        try:
            found = self._function(line)
        except Exception as error:
            name = _named(self._function)
            raise AuditError(
                f'a record could not be written: "{name}" raised "{type(error).__name__}"'
            ) from error
        if found is not None and inspect.isawaitable(found):
            if inspect.iscoroutine(found):
                found.close()
            name = _named(self._function)
            raise AuditError(f'a record could not be written: what "{name}" returned is awaitable')


def sink_of(value: SinkLike) -> Sink:
    """Make a sink of a path, a logger, a function, or of a sink.

    Raises:
        AuditError: Records cannot go there.
    """
    if isinstance(value, str | os.PathLike):
        return FileSink(value)
    if isinstance(value, logging.Logger):
        return LoggingSink(value)
    if isinstance(value, IOBase):
        raise AuditError(
            "records cannot go to an open file, which may keep them in a buffer",
            'give its path, such as "records.jsonl" or "/dev/stdout"',
        )
    if isinstance(value, Sink) and not isinstance(value, type):
        return value
    if callable(value):
        return CallableSink(value)
    raise AuditError(
        f'records cannot go to a "{type(value).__name__}"',
        "give a path, a logging.Logger, a function, or an object with write(line)",
    )


def _named(function: object) -> str:
    return getattr(function, "__qualname__", type(function).__name__)
