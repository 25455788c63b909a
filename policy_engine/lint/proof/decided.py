"""What the engine decides about a witness, and whether that is what the witness claims."""

from collections.abc import Mapping

from policy_engine.decision import Count, Decision, Facts, Request, Session
from policy_engine.decision.wire import read_request
from policy_engine.errors import PolicyEngineError
from policy_engine.lint.finding import Witness
from policy_engine.lint.subject import Subject

__all__ = ["confirmed", "decided"]


def decided(subject: Subject, witness: Witness) -> Decision | None:
    """Decide a witness; None where it is not a request."""
    try:
        given = read_request(dict(witness.request))
    except (PolicyEngineError, RecursionError):
        return None
    request: Request = given.request
    needs = subject.engine.needs(request)
    facts = Facts(
        now=given.now,
        session=Session(
            labels=frozenset(witness.labels), calls=_calls(witness.calls), started=given.now
        ),
        counters={(need.limit, need.key): Count(0) for need in needs.counters},
        answers=given.answers or {},
    )
    return subject.engine.decide(request, facts)


def _calls(calls: Mapping[str, int]) -> Mapping[str, int]:
    return Session().calls.__class__(calls)  # type: ignore[call-arg]


def confirmed(subject: Subject, witness: Witness) -> bool:
    """Whether the engine decides a witness as it claims."""
    decision = decided(subject, witness)
    if decision is None:
        return False
    named = {reason.rule for reason in decision.reasons}
    return (
        (witness.effect is None or decision.effect == witness.effect)
        and set(witness.speaks) <= named
        and not set(witness.silent) & named
        and not any(r.code in {"request.invalid", "engine.failed"} for r in decision.reasons)
    )
