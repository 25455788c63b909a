"""What the engine decides about a witness, and whether that is what the witness claims.

Every witness that lint shows has passed `confirmed`: the entries admit the request, and everything
that is said of it is so when the compiled policy decides it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from policy_engine.compiler.rule import CompiledRule
from policy_engine.decision import Count, Decision, Facts, Reason, Request, Session
from policy_engine.decision.wire import read_request
from policy_engine.errors import PolicyEngineError
from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.same_node import Same
from policy_engine.lint.proof.takes import fits_tool
from policy_engine.lint.proof.tried import function_of
from policy_engine.lint.rule import Found
from policy_engine.lint.subject import Subject

__all__ = ["confirmed", "decided", "is_stopped", "shown"]


def decided(subject: Subject, witness: Witness) -> Decision | None:
    """Decide a witness; None where it is not a request, or a call that its tool does not take."""
    asked = _asked(subject, witness)
    return None if asked is None else subject.engine.decide(*asked)


def is_stopped(subject: Subject, witness: Witness, rules: Iterable[CompiledRule]) -> bool:
    """Whether one of some rules with a condition alone speaks, told sooner than a decision."""
    asked = _asked(subject, witness)
    return asked is not None and any(
        rule.condition is not None
        and not (
            all(guard.holds(*asked) for guard in rule.guards)
            and rule.condition.function(*asked) is False
        )
        for rule in rules
    )


def _asked(subject: Subject, witness: Witness) -> tuple[Request, Facts] | None:
    try:
        given = read_request(dict(witness.request))
    except (PolicyEngineError, RecursionError):
        return None
    request: Request = given.request
    called = request.tool if request.stage == "tool_call" else None
    if called is not None and not fits_tool(subject, called, dict(request.args or {})):
        return None
    needs = subject.engine.needs(request)
    facts = Facts(
        now=given.now,
        session=Session(
            labels=frozenset(witness.labels), calls=_calls(witness.calls), started=given.now
        ),
        counters={(need.limit, need.key): Count(0) for need in needs.counters},
        answers=given.answers or {},
    )
    return request, facts


def _calls(calls: Mapping[str, int]) -> Mapping[str, int]:
    return Session().calls.__class__(calls)  # type: ignore[call-arg]


def confirmed(subject: Subject, witness: Witness) -> bool:
    """Whether a witness is a request that is admitted, and is decided as it claims."""
    asked = _asked(subject, witness)
    if asked is None:
        return False
    decision = subject.engine.decide(*asked)
    named = {reason.rule for reason in decision.reasons}
    return (
        (witness.effect is None or decision.effect == witness.effect)
        and set(witness.speaks) <= named
        and not set(witness.silent) & named
        and not any(_spoils(reason, witness) for reason in decision.reasons)
        and all(function_of(Same(node))(*asked) is wanted for node, wanted in witness.told)
    )


def _spoils(reason: Reason, witness: Witness) -> bool:
    """Whether a reason shows that a request is none to show anything by."""
    if reason.code in {"request.invalid", "engine.failed"}:
        return True
    if reason.rule in witness.speaks:
        return reason.code == "rule.cannot_tell"
    if witness.effect == "deny" and not witness.speaks:
        return False  # that it is denied is all that is claimed
    if reason.code.startswith("args."):
        return reason.enforced
    return witness.effect != "deny" and reason.code in _REFUSED


_REFUSED: Final = frozenset(
    {"default.deny", "entry.deny", "no_policy", "no_section", "policy.cannot_tell"}
)
"""Codes of a request that no entry grants."""


def shown(subject: Subject, found: Found) -> Found:
    """Return what a rule found, without a witness that does not show it."""
    if found.witness is None or confirmed(subject, found.witness):
        return found
    return replace(found, witness=None)
