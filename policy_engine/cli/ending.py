"""How a verb ends: its exit codes, and its complaints without a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from policy_engine.errors import PolicyEngineError

__all__ = [
    "CANNOT_RUN",
    "CLEAN",
    "INTERRUPTED",
    "NOT_PERMITTED",
    "UNREAD",
    "CannotRunError",
    "complain",
    "ending",
]

CLEAN: Final = 0
"""Permitted, or no findings."""
NOT_PERMITTED: Final = 1
"""Not permitted, or findings."""
CANNOT_RUN: Final = 2
"""A policy does not load, a file cannot be read, an option makes no sense."""
INTERRUPTED: Final = 130
UNREAD: Final = 141
"""The reader of the output left before its end: what a shell says of one that SIGPIPE ended."""


class CannotRunError(Exception):
    """What the user must mend before this can run; its text is for the user."""


def complain(message: str) -> None:
    """Say on the standard error what is wrong."""
    typer.echo(f"policy-engine: {message}", err=True)


@contextmanager
def ending() -> Iterator[None]:
    """Turn what a user can mend into a message and an exit code."""
    try:
        yield
    except CannotRunError as error:
        complain(str(error))
        raise typer.Exit(CANNOT_RUN) from None
    except PolicyEngineError as error:
        complain(str(error))
        raise typer.Exit(CANNOT_RUN) from None
    except BrokenPipeError:
        # The reader has what it wanted; `main` leaves quietly.
        raise typer.Exit(UNREAD) from None
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        complain(f"{where}{error.strerror or error}")
        raise typer.Exit(CANNOT_RUN) from None
    except MemoryError:
        print("policy-engine: out of memory", file=sys.stderr)  # noqa: T201 - nothing else is left
        raise typer.Exit(CANNOT_RUN) from None
