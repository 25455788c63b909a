"""What is wrong with test files: the same faults, with the same places, as of policies."""

from policy_engine.errors import PolicyError

__all__ = ["FaultyTestsError"]


class FaultyTestsError(PolicyError):
    """A test file cannot be read as it is meant, so no test runs."""

    def __str__(self) -> str:
        count = len(self.faults)
        closing = f"{count} {'fault' if count == 1 else 'faults'}: no test was run"
        return "\n\n".join([*map(str, self.faults), closing])
