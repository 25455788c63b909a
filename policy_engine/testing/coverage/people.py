"""Requests by everybody whom policies tell apart: agents, roles and tenants, known or not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final

from policy_engine.compiler import Compiled
from policy_engine.decision import Facts, Request
from policy_engine.testing.search.sample import OTHER, Sample

__all__ = ["people"]

_FACTS: Final = Facts(now=datetime(2026, 1, 5, 10, tzinfo=UTC))


def people(compiled: Compiled) -> Iterator[Sample]:
    """Yield requests by everybody whom the policies of a set tell apart.

    Args:
        compiled: The policy set.
    """
    for loaded in compiled.policies.policies:
        applies = loaded.policy.applies_to
        if applies is None:
            continue
        agents = [*_named(applies.agents), OTHER, None]
        roles = [*([name] for name in _named(applies.roles)), [OTHER], [], None]
        tenants = [*_named(applies.tenants), OTHER, None]
        for agent, role, tenant in product(agents, roles, tenants):
            principal: dict[str, Any] = {"id": "u1"}
            principal.update({} if role is None else {"roles": role})
            principal.update({} if tenant is None else {"tenant": tenant})
            request = Request(stage="input", agent=agent, principal=principal, text="Hello")
            yield Sample(request, _FACTS)


def _named(globs: Any) -> list[str]:
    return [glob.replace("*", "x").replace("?", "x") for glob in globs or ()][:3]
