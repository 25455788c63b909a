"""What limits leave of calls: so many have returned at most."""

import math

from policy_engine.compiler.names import matches_glob
from policy_engine.lint.subject import Subject

__all__ = ["most_calls"]


def most_calls(subject: Subject, tool: str) -> float:
    """Return how many calls of a tool a session may have at most; without a limit, no end."""
    ends = [
        limit.max
        for loaded in subject.policies
        if loaded.policy.mode == "enforce" and loaded.policy.applies_to is None
        for limit in loaded.policy.limits
        if limit.mode == "enforce" and limit.of == "calls" and limit.per is None
        if set(limit.by) <= {"session", "global"}
        if any(matches_glob(name, tool) for name in limit.tools or ())
    ]
    return min(ends, default=math.inf)
