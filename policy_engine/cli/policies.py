"""The option `--policies`, and the engine that it makes."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from policy_engine.cli.console import print_faults
from policy_engine.cli.ending import CANNOT_RUN, CannotRunError
from policy_engine.engine import Engine
from policy_engine.errors import PolicyError
from policy_engine.loader import load

__all__ = ["PoliciesOption", "load_engine", "named"]

PoliciesOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--policies", metavar="PATH", help="The policy set: a file or a folder.  [required]"
    ),
]
"""Its absence is `None`, so that `load_engine` can say more than that it is missing."""

_USUAL: Final = Path("policies")


def load_engine(path: str | None, *, warm: bool = False) -> Engine:
    """Load a policy set; where it does not load, say every fault and leave.

    Args:
        path: A file or a folder.
        warm: Whether many requests follow, so that preparing for them is worth its time.

    Raises:
        CannotRunError: No path is given.
    """
    try:
        return Engine(load(named(path), warm=warm))
    except PolicyError as error:
        print_faults(error)
        raise typer.Exit(CANNOT_RUN) from None


def named(path: str | None) -> str:
    """Return the path of the policies; raise `CannotRunError` where none is given."""
    if path is None:
        hint = (
            f"--policies {_USUAL}"
            if _USUAL.is_dir()
            else '--policies PATH; "policy-engine init" writes some to begin with'
        )
        raise CannotRunError(f"say where the policies are: {hint}")
    return path
