"""Which policies apply together, and which names cover others."""

from policy_engine.compiler.names import is_glob, matches_glob
from policy_engine.policy import LoadedPolicy

__all__ = ["applies_with", "covers_name"]


def covers_name(wide: str, narrow: str) -> bool:
    """Whether a name or glob certainly matches all that another matches."""
    if wide in {narrow, "*"}:
        return True
    return (not is_glob(narrow) or "?" not in wide) and matches_glob(wide, narrow)


def applies_with(other: LoadedPolicy, policy: LoadedPolicy) -> bool:
    """Whether a policy certainly applies, and is enforced, wherever another applies."""
    if other is policy:
        return True
    if other.policy.mode != "enforce":
        return False
    wide, narrow = other.policy.applies_to, policy.policy.applies_to
    if wide is None:
        return True
    if narrow is None:
        return False
    for key in ("agents", "roles", "tenants"):
        names, inner = getattr(wide, key), getattr(narrow, key)
        if names is None:
            continue
        if inner is None or not all(any(covers_name(n, i) for n in names) for i in inner):
            return False
    return True
