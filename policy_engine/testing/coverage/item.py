"""What can be covered: parts of policies, and the outcomes that each may have."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from policy_engine.errors import Location

__all__ = ["Item", "Kind", "Outcome"]

Kind: TypeAlias = Literal[
    "policy", "entry", "rule", "branch", "argument", "pattern", "limit", "default"
]


class Outcome(StrEnum):
    """What a part of a policy says of a request."""

    MATCH = "match"
    NO_MATCH = "no match"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a policy, and the outcomes that tests should bring about."""

    kind: Kind
    rule: str
    """The name in reasons of the rule or entry that it belongs to."""
    what: str
    """The part of it: a term, a keyword, a pattern; empty for the whole."""
    location: Location
    wanted: frozenset[Outcome]
