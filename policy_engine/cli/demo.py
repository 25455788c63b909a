"""`demo`: watch a scripted agent meet a policy, with the real guard and without any key."""

import os
import sys
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from rich.text import Text

from policy_engine.cli.console import print_lines
from policy_engine.cli.demonstration import play, scene_lines, tools_of
from policy_engine.cli.ending import ending
from policy_engine.guard import Guard
from policy_engine.report.printable import printable
from policy_engine.report.words import counted

__all__ = ["run"]

_DECISION: Final = b'"kind":"decision"'
_DENIED: Final = b'"effect":"deny"'


def run() -> None:
    """Watch a scripted agent meet a policy.

    The agent is a script and its tools do nothing; the guard, the policy and the records are
    real. No key and no network is needed.
    """
    with ending():
        records = _record_file()
        with as_file(files("policy_engine.cli") / "demonstration" / "desk.yaml") as policy:
            guard = Guard.from_path(policy, records=records)
            _show(_opening(policy))
            for number, scene in enumerate(play(guard, tools_of(guard)), 1):
                _show(scene_lines(number, scene))
        _show(_closing(records))


def _record_file() -> Path:
    descriptor, name = mkstemp(prefix="policy-engine-demo-", suffix=".jsonl")
    os.close(descriptor)
    return Path(name)


def _show(lines: Iterator[Text]) -> None:
    print_lines(lines)
    sys.stdout.flush()


def _opening(policy: Path) -> Iterator[Text]:
    yield Text("A scripted agent works at a support desk. Each call of a tool is decided by")
    yield Text(printable(str(policy)), style="bold")
    yield Text("")


def _closing(records: Path) -> Iterator[Text]:
    lines = records.read_bytes().splitlines()
    example = next(line for line in lines if _DENIED in line)
    decisions = sum(_DECISION in line for line in lines)
    yield Text.assemble(
        f"{counted(decisions, 'decision')} and {counted(len(lines) - decisions, 'outcome')} "
        f"were recorded: {counted(len(lines), 'line')} in ",
        (printable(str(records)), "bold"),
    )
    yield Text("The first that was denied:")
    yield Text(printable(example.decode()), style="dim")
    yield Text("")
    yield Text.assemble("To write a policy of your own: ", ("policy-engine init", "bold"))
