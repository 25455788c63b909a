"""Texts that begin with, end with, contain or match something, or just do not."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from policy_engine.lint.proof.regexes import sample
from policy_engine.lint.proof.values import Values
from policy_engine.testing.search.sample import OTHER

__all__ = ["texts_for"]

_PIECES: Final = {
    "startsWith": "prefix",
    "endsWith": "suffix",
    "contains": "contains",
    "matches": "matches",
}
_FEW: Final = 6


def texts_for(
    function: str, sought: str, values: Values | None, held: Any, *, to: bool
) -> Iterator[str]:
    """Yield texts of which a test probably comes to an outcome.

    Args:
        function: `startsWith`, `endsWith`, `contains` or `matches`.
        sought: What is looked for.
        values: What the texts may be; None where nothing is known.
        held: What stands there before.
        to: The outcome.
    """
    if values is not None:
        left = values.copy()
        left.take("string")
        left.test(_PIECES[function], sought, holds=to)
        yield from (one for one in islice(left.candidates(), _FEW) if isinstance(one, str))
    text = held if isinstance(held, str) else ""
    if function == "matches":
        yield from sample(sought) if to else (f"{text}!", f"!{text}", "")
    elif to:
        yield from _joined(function, sought, text)
    else:
        yield from (sought[1:], sought[:-1], f"x{sought}", f"{sought}x", f"x{sought[1:]}")
    yield from (OTHER, "")


def _joined(function: str, sought: str, text: str) -> Iterator[str]:
    match function:
        case "startsWith":
            yield from (sought, f"{sought}x", sought + text, sought + text[len(sought) :])
        case "endsWith":
            yield from (sought, f"x{sought}", f"a@x{sought}", text + sought)
        case _:
            yield from (sought, f"x{sought}x", f"{text} {sought}", f"{sought} {text}")
