"""Who asks in a request that shows something, and what is known of who asks."""

import re
from collections.abc import Sequence
from typing import Any, Final

from policy_engine.compiler.names import is_glob
from policy_engine.lint.proof.formula import Term
from policy_engine.lint.proof.solve import HELD, ROLES
from policy_engine.lint.proof.values import Values
from policy_engine.lint.subject import named_by
from policy_engine.policy import LoadedPolicy

__all__ = ["caller_for", "known_of_caller"]

_PLACES: Final = {("agent",): "agents", HELD: "roles", ("principal", "tenant"): "tenants"}


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


def known_of_caller(policy: LoadedPolicy, term: Term) -> Values | None:
    """Return what something of who asks may be where a policy applies; None where it may be any."""
    applies = policy.policy.applies_to
    if applies is None:
        return None
    if term == ("size", *ROLES) and applies.roles:
        values = Values("integer")
        values.bound(low=1, is_open=False)
        return values
    names = getattr(applies, _PLACES[term]) if term in _PLACES else None
    return _named(names) if names else None


def _named(names: Sequence[str]) -> Values:
    values = Values("string")
    if any(map(is_glob, names)):
        globs = "|".join(re.escape(n).replace(r"\*", ".*").replace(r"\?", ".") for n in names)
        values.test("matches", f"^(?s:{globs})$", holds=True)
    else:
        values.choose(list(names))
    return values
