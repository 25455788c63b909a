"""What a call would meet, as a table."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from policy_engine.decision import EFFECTS
from policy_engine.engine import ChainLink
from policy_engine.report.printable import printable
from policy_engine.report.words import COLOR

__all__ = ["chain_table"]


def chain_table(links: Iterable[ChainLink]) -> Table:
    """Return one row for each thing that a call would meet, in order."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("rule", "what", "effect", "where"):
        table.add_column(title, overflow="fold")
    for link in links:
        effect = (
            Text(link.effect, style=_color(link.effect))
            if link.enforced
            else Text(f"{link.effect} (only observed)", style="dim")
        )
        table.add_row(
            Text(printable(link.rule)),
            Text(printable(link.what)),
            effect,
            Text("" if link.location is None else printable(str(link.location)), style="dim"),
        )
    return table


def _color(effect: str) -> str:
    return next((COLOR[name] for name in EFFECTS if name == effect), "")
