"""What a replay came to: by effect, by tool, by rule, and what was expected otherwise."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from policy_engine.decision import EFFECTS
from policy_engine.report.printable import clipped, printable
from policy_engine.report.tally import OTHERS, Tally, Unmet
from policy_engine.report.words import COLOR, counted

__all__ = ["replay_lines", "replay_to_wire"]

VERSION: Final = 1
_COLUMNS: Final[Mapping[str, str]] = {name: name.replace("_", " ") for name in EFFECTS}


def replay_lines(tally: Tally, file: str) -> Iterator[RenderableType]:
    """Return the summary of a replay: tables, and the expectations that were not met."""
    yield Text.assemble(
        (printable(file), "bold"),
        f": {counted(tally.lines, 'line')}, {counted(tally.decisions, 'decision')}",
    )
    yield Text("")
    yield _table(
        "what", tally.by_name, _COLUMNS, total={name: tally.effects[name] for name in EFFECTS}
    )
    yield Text("")
    yield _table("rule", tally.by_rule, {**_COLUMNS, "observed": "only observed"})
    if tally.would_differ:
        yield Text("")
        yield Text(
            f"{counted(tally.would_differ, 'decision')} would differ "
            "if what is only observed were enforced"
        )
    if tally.met or tally.unmet:
        yield Text("")
        yield from _expectations(tally)


def _table(
    title: str,
    rows: Mapping[str, Mapping[str, int]],
    columns: Mapping[str, str],
    total: Mapping[str, int] | None = None,
) -> Table:
    shown = [name for name in columns if any(name in row for row in rows.values())]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(title, overflow="fold")
    for name in shown:
        table.add_column(columns[name], justify="right", style=_color(name))
    ordered = sorted(rows.items(), key=lambda item: (item[0] == OTHERS, item[0]))
    for name, row in ordered:
        table.add_row(Text(clipped(name, 100)), *(_cell(row.get(column, 0)) for column in shown))
    if total is not None and len(rows) > 1:
        table.add_row(
            Text("total", style="bold"), *(_cell(total.get(column, 0)) for column in shown)
        )
    return table


def _cell(count: int) -> str:
    return f"{count:,}" if count else "·"


def _color(name: str) -> str:
    return next((COLOR[effect] for effect in EFFECTS if effect == name), "dim")


def _expectations(tally: Tally) -> Iterator[Text]:
    if not tally.unmet:
        yield Text(f"{counted(tally.met, 'expectation')}, each met", style="green")
        return
    total = tally.met + tally.unmet
    yield Text(f"{tally.unmet:,} of {counted(total, 'expectation')} not met:", style="bold red")
    for one in tally.first_unmet:
        yield Text(f"  {_place(one)}: expected {printable(one.expected)}, got {one.got}")
        yield Text(f"    {', '.join(map(printable, one.rules)) or 'no rule spoke'}", style="dim")
    if tally.unmet > len(tally.first_unmet):
        yield Text(f"  and {tally.unmet - len(tally.first_unmet):,} more")


def _place(one: Unmet) -> str:
    return f"line {one.line}" if one.step is None else f"line {one.line}, step {one.step}"


def replay_to_wire(tally: Tally, file: str) -> dict[str, Any]:
    """Return the summary as JSON values."""
    return {
        "version": VERSION,
        "file": file,
        "lines": tally.lines,
        "decisions": tally.decisions,
        "effects": dict(tally.effects),
        "would_differ": tally.would_differ,
        "by_name": {name: dict(row) for name, row in sorted(tally.by_name.items())},
        "by_rule": {name: dict(row) for name, row in sorted(tally.by_rule.items())},
        "expectations": {
            "met": tally.met,
            "unmet": tally.unmet,
            "first_unmet": [
                {
                    "line": one.line,
                    "step": one.step,
                    "expected": one.expected,
                    "effect": one.got,
                    "rules": list(one.rules),
                }
                for one in tally.first_unmet
            ],
        },
    }
