"""JSON texts that only one of two checks of a form lets pass."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from policy_engine.lint.proof.schema import sampled
from policy_engine.testing.search.between import between

__all__ = ["documents"]

_MANY: Final = 60
_UNREADABLE: Final = "{"


def documents(before: Any, after: Any) -> Iterator[str]:
    """Yield texts that the second of two schemas probably takes, and the first does not.

    Args:
        before: A schema; None where any JSON will do.
        after: The same, changed in one place; None where anything will do.
    """
    yield _UNREADABLE
    plain = sampled([before])
    for value in (plain, *islice(between(before, after or {}, plain), _MANY)):
        yield json.dumps(value)
