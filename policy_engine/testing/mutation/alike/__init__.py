"""Proofs that a mutant decides like the policy, whatever is asked."""

from policy_engine.testing.mutation.alike.prove import prove

__all__ = ["prove"]
