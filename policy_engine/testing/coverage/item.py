"""What can be covered: parts of policies, and the outcomes that each may have."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from policy_engine.errors import Location

__all__ = ["EVERY", "TOLD", "Item", "Kind", "Note", "Outcome"]

Kind: TypeAlias = Literal[
    "policy", "entry", "rule", "branch", "check", "argument", "pattern", "limit", "default"
]


class Outcome(StrEnum):
    """What a part of a policy says of a request."""

    MATCH = "match"
    NO_MATCH = "no match"
    CANNOT_TELL = "cannot tell"


EVERY: Final = frozenset(Outcome)
TOLD: Final = frozenset({Outcome.MATCH, Outcome.NO_MATCH})


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a policy, and the outcomes that it may have."""

    kind: Kind
    rule: str
    """The name in reasons of the rule or entry that it belongs to."""
    what: str
    """The part of it: a term, a keyword, a pattern; empty for the whole."""
    location: Location
    possible: frozenset[Outcome] = field(default=EVERY, compare=False)
    """The outcomes that are looked for; it may turn out that nothing brings one about."""


Note: TypeAlias = Callable[[Item, Outcome], None]
"""Is told what a part of a policy says of a request."""
