"""Who asks in a request that shows something."""

from typing import Any

from policy_engine.lint.subject import named_by
from policy_engine.policy import LoadedPolicy

__all__ = ["caller_for"]


def caller_for(policy: LoadedPolicy) -> dict[str, Any]:
    """Return who asks, so that the policy applies."""
    applies = policy.policy.applies_to
    principal: dict[str, Any] = {"id": "x"}  # as sampled facts name their owner
    made: dict[str, Any] = {"agent": "agent", "principal": principal}
    if applies is not None:
        if applies.agents:
            made["agent"] = named_by(applies.agents[0])
        if applies.roles:
            principal["roles"] = [named_by(applies.roles[0])]
        if applies.tenants:
            principal["tenant"] = named_by(applies.tenants[0])
    principal.setdefault("roles", ["member"])
    principal.setdefault("tenant", "acme")
    return made
