"""What is said of a value that policies cannot judge."""

__all__ = ["UnjudgeableError"]


class UnjudgeableError(Exception):
    """A value has no JSON form that could be judged; never leaves the guard, which denies."""
