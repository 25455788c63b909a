"""The option `--policies`, and the engine that it makes."""

from typing import Annotated, TypeAlias

import typer

from policy_engine.cli.console import print_faults
from policy_engine.cli.ending import CANNOT_RUN
from policy_engine.engine import Engine
from policy_engine.errors import PolicyError
from policy_engine.loader import load

__all__ = ["PoliciesOption", "load_engine"]

PoliciesOption: TypeAlias = Annotated[
    str, typer.Option("--policies", metavar="PATH", help="The policy set: a file or a folder.")
]


def load_engine(path: str, *, warm: bool = False) -> Engine:
    """Load a policy set; where it does not load, say every fault and leave.

    Args:
        path: A file or a folder.
        warm: Whether many requests follow, so that preparing for them is worth its time.
    """
    try:
        return Engine(load(path, warm=warm))
    except PolicyError as error:
        print_faults(error)
        raise typer.Exit(CANNOT_RUN) from None
