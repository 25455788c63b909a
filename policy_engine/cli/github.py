"""What GitHub Actions takes up: annotations in the output, and the step's summary."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import typer

__all__ = ["not_obeyed", "print_github"]

_SUMMARY: Final = "GITHUB_STEP_SUMMARY"
"""The environment variable that names the file of the step's summary."""


def print_github(annotations: Iterable[str], summary: str) -> None:
    """Print annotations, and append the summary where GitHub says."""
    for line in annotations:
        typer.echo(line)
    file = os.environ.get(_SUMMARY)
    if file:
        with Path(file).open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(f"{summary}\n")


@contextmanager
def not_obeyed() -> Iterator[None]:
    """Print what the runner must not take for commands, whatever stands in it."""
    token = secrets.token_hex(16)
    typer.echo(f"::stop-commands::{token}")
    try:
        yield
    finally:
        typer.echo(f"::{token}::")
