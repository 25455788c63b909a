"""Whether a proof rests on what tools themselves say that they take."""

from collections.abc import Callable, Sequence
from typing import Final

from policy_engine.lint.proof.scene import Scene

__all__ = ["RESTS", "rests"]

RESTS: Final = " (by the tool's own schema)"
"""What is added to what is said then."""


def rests(places: Sequence[Scene], proves: Callable[[Scene], bool]) -> bool:
    """Whether the policy alone does not prove what is proved with the tools' own schemas.

    Args:
        places: Where it was proved.
        proves: Whether it is proved somewhere.
    """
    return any(place.own is not None and not proves(place.alone) for place in places)
