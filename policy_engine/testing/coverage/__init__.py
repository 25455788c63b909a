"""Which parts of policies the tests bring about: match, no match, cannot tell."""

from policy_engine.testing.coverage.coverage import Coverage, Covered, Idea
from policy_engine.testing.coverage.item import Item, Kind, Outcome

__all__ = ["Coverage", "Covered", "Idea", "Item", "Kind", "Outcome"]
