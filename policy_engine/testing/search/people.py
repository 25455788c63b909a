"""Requests by everybody whom a policy tells apart: agents, roles and tenants, known or not."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Final

from policy_engine.policy import Policy
from policy_engine.testing.search.sample import OTHER, Sample

__all__ = ["asked_by_everybody"]

_MOST: Final = 3
"""So many names of each kind are tried."""


def asked_by_everybody(sample: Sample, policy: Policy) -> Iterator[Sample]:
    """Yield a request as everybody whom a policy tells apart would ask it.

    Args:
        sample: The request.
        policy: Says whom it is for.
    """
    applies = policy.applies_to
    if applies is None:
        return
    agents = [*_named(applies.agents), OTHER, None]
    roles = [*([name] for name in _named(applies.roles)), [OTHER], [], None]
    tenants = [*_named(applies.tenants), OTHER, None]
    for agent, role, tenant in product(agents, roles, tenants):
        principal: dict[str, Any] = {"id": "u1", **(sample.request.principal or {})}
        for key, value in (("roles", role), ("tenant", tenant)):
            principal.pop(key, None)
            principal.update({} if value is None else {key: value})
        yield replace(sample, request=replace(sample.request, agent=agent, principal=principal))


def _named(globs: Sequence[str] | None) -> list[str]:
    return [glob.replace("*", "x").replace("?", "x") for glob in globs or ()][:_MOST]
