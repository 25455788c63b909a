"""Policies made wrong in every single way, and the tests that notice."""

from policy_engine.testing.mutation.examine import UNNOTICED, Verdict
from policy_engine.testing.mutation.hunt import hunt
from policy_engine.testing.search.shown import Witness

__all__ = ["UNNOTICED", "Verdict", "Witness", "hunt"]
