"""`test`: run tests of policies, with coverage and mutation."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from policy_engine.cli.console import print_faults, print_lines
from policy_engine.cli.ending import CANNOT_RUN, CLEAN, NOT_PERMITTED, complain, ending
from policy_engine.cli.github import not_obeyed, print_github
from policy_engine.cli.json_output import print_json
from policy_engine.errors import PolicyError
from policy_engine.lint.outcome import Outcome
from policy_engine.report.faults import fault_lines, faults_to_wire
from policy_engine.report.github import annotations, step_summary
from policy_engine.testing.faults import FaultyTestsError
from policy_engine.testing.mutation import hunt
from policy_engine.testing.outcome import UNTRIED, Summary, run_tests
from policy_engine.testing.output import (
    failure_annotations,
    faults_to_junit,
    markdown_summary,
    summary_lines,
    to_junit,
    to_wire,
)
from policy_engine.testing.output.wire import VERSION
from policy_engine.testing.reading import Loaded, read_suites

__all__ = ["run"]


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


def run(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Test files, or folders that hold some.")
    ],
    *,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Say which parts of the policies no test reaches.")
    ] = False,
    min_coverage: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", min=0, max=100, help="Less coverage fails."),
    ] = None,
    mutate: Annotated[
        bool, typer.Option("--mutate", help="Weaken the policies, and say what no test notices.")
    ] = False,
    min_mutation: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", min=0, max=100, help="Fewer mutants noticed fail."),
    ] = None,
    form: Annotated[
        _Format,
        typer.Option("--format", metavar="text|json|junit|github", help="How to print it."),
    ] = _Format.TEXT,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="How many processes work on mutants."),
    ] = None,
) -> None:
    """Run tests of policies.

    A test file names the policy set that it tests and holds requests, steps of a session, texts
    and matrices, each with what is expected. Of a folder, the files in folders named tests run.

    Exit code 1: a test fails, or too little is covered or noticed. Exit code 2: a test file or
    a policy does not load.
    """
    with ending():
        loaded = _read(paths, form)
        started = time.perf_counter()
        summary = run_tests(loaded, coverage=coverage or min_coverage is not None)
        summary.seconds = time.perf_counter() - started
        summary.min_coverage, summary.min_mutation = min_coverage, min_mutation
        wants_mutation = mutate or min_mutation is not None
        if wants_mutation and not summary.failed:
            with _progress() as advance:
                summary.verdicts = hunt(loaded, jobs=jobs, advance=advance)
        _print(summary, form)
        told = list(summary.missed.values())
        if wants_mutation and summary.failed and UNTRIED not in told:
            told.append(UNTRIED)
        for how in told:
            complain(how)
    raise typer.Exit(NOT_PERMITTED if summary.failed or summary.missed else CLEAN)


def _read(paths: list[str], form: _Format) -> Loaded:
    try:
        return read_suites(paths)
    except FaultyTestsError as error:
        *lines, _ = fault_lines(error.faults)
        print_lines(lines, error=True)
        complain(str(error).rpartition("\n\n")[2])
        faults = error.faults
    except PolicyError as error:
        print_faults(error)
        faults = error.faults
    if form is _Format.GITHUB:
        outcome = Outcome((), 0, 0, tuple(faults), ())
        print_github(annotations(outcome), step_summary(outcome, "test"))
    elif form is _Format.JUNIT:
        sys.stdout.write(faults_to_junit(faults))
    elif form is _Format.JSON:
        print_json({"version": VERSION, "faults": faults_to_wire(faults)})
    raise typer.Exit(CANNOT_RUN)


def _print(summary: Summary, form: _Format) -> None:
    if form is _Format.JSON:
        print_json(to_wire(summary))
    elif form is _Format.JUNIT:
        sys.stdout.write(to_junit(summary))
    elif form is _Format.GITHUB:
        with not_obeyed():
            print_lines(summary_lines(summary))
        print_github(failure_annotations(summary), markdown_summary(summary))
    else:
        print_lines(summary_lines(summary))


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show how many mutants are examined, on a terminal only."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (TextColumn("mutants"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True)
    task = progress.add_task("mutants", total=None)

    def advance(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)
        # Only now, for it starts a thread, and where there is one no process is forked.
        if not progress.live.is_started:
            progress.start()

    try:
        yield advance
    finally:
        progress.stop()
