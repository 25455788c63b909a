"""What a test must expect of a request that is printed, where the effect alone would not do."""

from collections.abc import Mapping
from typing import Any, Final

from policy_engine.compiler import Compiled
from policy_engine.decision import Decision
from policy_engine.decision.wire import read_request
from policy_engine.engine import Engine
from policy_engine.errors import Location, RequestError
from policy_engine.testing.reading.tests import START
from policy_engine.testing.replay import Replay, prices_of

__all__ = ["expectation"]

_FORMAL: Final = frozenset({"args.additionalProperties", "args.required", "default.deny"})
"""Reasons that a misspelt name would have too: a test that means one names it."""


def expectation(
    policies: Mapping[str, Compiled], location: Location, request: Mapping[str, Any]
) -> str | None:
    """Return what to expect of a request, as a test says it; None where its effect will do.

    Args:
        policies: The policy sets of the run.
        location: Where the part of a policy stands that the request is printed for.
        request: The request as JSON values.
    """
    for compiled in policies.values():
        loaded = compiled.policies.policies
        if all(one.document.path != location.path for one in loaded):
            continue
        try:
            given = read_request({"session": "test", **request})
        except RequestError:
            return None
        now = given.now or START
        decision = Replay(Engine(compiled), prices_of(compiled), now).decide(given)
        return _meant(decision)
    return None


def _meant(decision: Decision) -> str | None:
    spoke = [r for r in decision.reasons if r.enforced and r.effect == decision.effect]
    told = [reason for reason in spoke if not reason.code.endswith(".cannot_tell")]
    key, rules = "rules", [reason.rule for reason in told if reason.code in _FORMAL]
    if spoke and not told:
        key, rules = "cannot_tell", [reason.rule for reason in spoke]
    if not rules:
        return None
    listed = ", ".join(dict.fromkeys(rules))
    return f"expect: {{effect: {decision.effect}, {key}: [{listed}]}}"
