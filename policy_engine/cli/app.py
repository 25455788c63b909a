"""The verbs, read when they are called, so that `--help` is fast."""

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from types import FrameType, MappingProxyType
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from policy_engine.cli.ending import CANNOT_RUN, INTERRUPTED, UNREAD, complain

__all__ = ["VERBS", "app", "main"]

VERBS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "init": ("policy_engine.cli.init", "Write a policy folder to begin with."),
        "demo": ("policy_engine.cli.demo", "Watch a scripted agent meet a policy."),
        "lint": ("policy_engine.cli.lint", "Load policies and report every fault."),
        "decide": ("policy_engine.cli.decide", "Decide one request and explain the decision."),
        "replay": ("policy_engine.cli.replay", "Decide the requests of a JSON Lines file."),
        "test": (
            "policy_engine.cli.test",
            "Run tests of policies, with coverage and mutation.",
        ),
        "explain": (
            "policy_engine.cli.explain",
            "Explain a code or a check, or what a call would meet.",
        ),
        "coverage": (
            "policy_engine.cli.coverage",
            "Show what the policies say of each tool of an agent.",
        ),
        "tools": ("policy_engine.cli.tools", "Write an agent's tools as JSON Schemas."),
        "schema": (
            "policy_engine.cli.print_schema",
            "Print a JSON Schema: of policies, tests, requests or decisions.",
        ),
    }
)
"""Verb -> the module whose `run` it is, and its caption."""

_PATIENCE: Final = 1.0
"""So many seconds a command has to end after an interrupt; the next one ends it at once."""
_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}


class _Verbs(TyperGroup):
    """A group that knows its verbs by their captions and imports one when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {
            verb: TyperCommand(verb, help=caption, rich_markup_mode=None)
            for verb, (_, caption) in VERBS.items()
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stub, rest = super().resolve_command(ctx, args)
        if stub is None or stub.name is None:
            return name, stub, rest
        alone = typer.Typer(
            add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
        )
        alone.command(stub.name, context_settings=_SETTINGS)(import_module(VERBS[stub.name][0]).run)
        return name, typer.main.get_command(alone), rest


app = typer.Typer(
    cls=_Verbs,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
    epilog="Exit codes: 0 permitted or clean, 1 not permitted or findings, 2 could not run.",
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer's signature
    if asked:
        typer.echo(f"policy-engine {import_module('policy_engine.cli.version').installed()}")
        raise typer.Exit


@app.callback(no_args_is_help=True, invoke_without_command=False)
def _root(
    version: Annotated[  # noqa: FBT002 - typer's signature
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Policy as code for LLM agents: what an agent may read, say and do."""


def main() -> NoReturn:
    """Run the command line; its exit code says how it went."""
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, _interrupted)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    code: object = 0
    try:
        try:
            app(prog_name="policy-engine")
        except SystemExit as ending:
            code = ending.code
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has what it wanted.
        _discard_output()
        code = UNREAD
    except OSError as error:
        complain(f"the output could not be written: {error.strerror or error}")
        _discard_output()
        code = CANNOT_RUN
    except Exception:  # noqa: BLE001 - an exit code of 1 would say that nothing is permitted
        traceback.print_exc()
        complain("this is a fault of policy-engine itself, not of what it was given")
        code = CANNOT_RUN
    sys.exit(code if isinstance(code, int) else CANNOT_RUN)


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - a handler's
    # What ends the processes of a command is not interrupted by the same impatience.
    signal.signal(signal.SIGINT, partial(_interrupted_again, time.monotonic() + _PATIENCE))
    raise SystemExit(INTERRUPTED)


def _interrupted_again(until: float, _number: int, _frame: FrameType | None) -> None:
    if time.monotonic() >= until:
        os._exit(INTERRUPTED)


def _discard_output() -> None:
    # What is left in the buffer would be tried once more at exit, with a traceback.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
