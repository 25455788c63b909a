"""`replay`: decide the requests of a JSON Lines file."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from policy_engine.cli.console import print_lines
from policy_engine.cli.ending import (
    CANNOT_RUN,
    CLEAN,
    NOT_PERMITTED,
    CannotRunError,
    complain,
    ending,
)
from policy_engine.cli.json_output import print_json
from policy_engine.cli.policies import PoliciesOption, load_engine
from policy_engine.cli.replaying import (
    DecisionFile,
    Expected,
    Line,
    LineError,
    Names,
    read_lines,
)
from policy_engine.decision import Decision, Effect, strictest
from policy_engine.report.printable import printable
from policy_engine.report.replay import replay_lines, replay_to_wire
from policy_engine.report.tally import Tally, Unmet
from policy_engine.report.words import counted
from policy_engine.testing.replay import Replay, prices_of

__all__ = ["run"]

_MAX_MALFORMED: Final = 20


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"


def run(
    *,
    file: Annotated[
        str, typer.Argument(metavar="FILE.jsonl", help="The requests; - is the standard input.")
    ],
    policies: PoliciesOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one decision a line, in order, to this file."),
    ] = None,
    form: Annotated[
        _Format, typer.Option("--format", metavar="text|json", help="How to print the summary.")
    ] = _Format.TEXT,
) -> None:
    """Decide the requests of a JSON Lines file.

    A line is a request, or {"session": ..., "steps": [requests]}, each with optional "expect":
    {"effect": ..., "rules": [...]}, "repeat": N, and, for a model request, "usage":
    {"input_tokens": N, "output_tokens": N}. Steps take "agent", "principal", "context", "now"
    and "facts" from their line. Requests of one session share its labels, calls and limits.

    Exit code 1: an expectation is not met. Exit code 2: a line cannot be read.
    """
    with ending():
        if out is not None and out.exists() and Path(file).exists() and out.samefile(file):
            raise CannotRunError("--out is the file that is read")
        tally = Tally()
        with (
            _opened(file) as source,
            nullcontext() if out is None else DecisionFile(out) as decisions,
        ):
            engine = load_engine(policies, warm=True)
            replay = Replay(engine, prices_of(engine.compiled), datetime.now(UTC))
            names = Names(engine.compiled)
            write = None if decisions is None else decisions.write
            with _progress(source) as advance:
                malformed = _run(source, replay, names, tally, write, advance)
            if decisions is not None and not malformed:
                decisions.finish()
        if malformed:
            _refuse(file, malformed, tally)
        if form is _Format.JSON:
            print_json(replay_to_wire(tally, file))
        else:
            print_lines(replay_lines(tally, file))
    raise typer.Exit(NOT_PERMITTED if tally.unmet else CLEAN)


def _run(
    source: BinaryIO,
    replay: Replay,
    names: Names,
    tally: Tally,
    write: Callable[[Decision], None] | None,
    advance: Callable[[int], None],
) -> list[LineError]:
    """Decide every line; after one that cannot be read, only look for more of them."""
    malformed: list[LineError] = []
    for number, size, line in read_lines(source):
        if isinstance(line, LineError):
            malformed.append(line)
            if len(malformed) >= _MAX_MALFORMED:
                break
        elif not malformed:
            _decide(number, line, replay, names, tally, write)
        advance(size)
    return malformed


def _decide(
    number: int,
    line: Line,
    replay: Replay,
    names: Names,
    tally: Tally,
    write: Callable[[Decision], None] | None,
) -> None:
    tally.lines += 1
    effects = []
    spoke: dict[str, None] = {}
    for _repeat in range(line.repeat):
        for index, step in enumerate(line.steps, 1):
            place = index if line.is_session else None
            for _ in range(step.repeat):
                decision = replay.decide(step.given, usage=step.usage)
                tally.add(decision, names.of(decision.asked))
                if write is not None:
                    write(decision)
                rules = tuple(dict.fromkeys(reason.rule for reason in decision.reasons))
                if step.expected is not None:
                    tally.expect(_unmet(step.expected, decision.effect, rules, number, place))
                if line.expected is not None:
                    effects.append(decision.effect)
                    spoke.update(dict.fromkeys(rules))
    if line.expected is not None:
        tally.expect(_unmet(line.expected, strictest(effects), tuple(spoke), number, None))


def _unmet(
    expected: Expected, effect: Effect, rules: tuple[str, ...], line: int, step: int | None
) -> Unmet | None:
    if expected.effect in (None, effect) and set(expected.rules) <= set(rules):
        return None
    return Unmet(line, step, str(expected), effect, rules)


def _refuse(file: str, malformed: list[LineError], tally: Tally) -> None:
    for error in malformed:
        complain(f"{printable(file)}:{error}")
    least = "at least " if len(malformed) >= _MAX_MALFORMED else ""
    complain(
        f"{least}{counted(len(malformed), 'line')} cannot be read; "
        f"{counted(tally.lines, 'line')} before {'was' if tally.lines == 1 else 'were'} decided"
    )
    raise typer.Exit(CANNOT_RUN)


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    path = Path(file)
    if path.is_dir():
        raise CannotRunError(f"{printable(file)} is a folder, not a file of JSON lines")
    with path.open("rb") as opened:
        yield opened


@contextmanager
def _progress(source: BinaryIO) -> Iterator[Callable[[int], None]]:
    """Show how far the file is read, on a terminal only."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda size: None  # noqa: ARG005 - nobody looks
        return
    status = os.fstat(source.fileno())
    total = status.st_size if stat.S_ISREG(status.st_mode) else None
    columns = (
        TextColumn("replay"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("replay", total=total)
        yield lambda size: progress.advance(task, size)
