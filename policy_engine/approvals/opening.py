"""From a decision to the approvals that it needs: what people are shown, copied."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from policy_engine.approvals.approval import Approval, later
from policy_engine.decision import ApprovalNeeded, Decision, Request
from policy_engine.errors import ApprovalError

__all__ = ["aware", "copied", "gates_of", "message_of", "opened"]

# A fingerprint does not look deeper than 64 levels, so nothing as deep can be bound to it.
_MAX_DEPTH: Final = 60
_MAX_BITS: Final = 14_284
"""What Python prints of a number: 4,300 digits."""
_ROUGH: Final = 64


def gates_of(decision: Decision) -> tuple[ApprovalNeeded, ...]:
    """Return what the decision needs approved; nothing where it is not an approval it needs."""
    if decision.effect != "require_approval":
        return ()
    needed = (item for item in decision.obligations if isinstance(item, ApprovalNeeded))
    return tuple({gate.rule: gate for gate in needed}.values())


def message_of(decision: Decision, rule: str) -> str:
    """Return why the rule asks."""
    said = (
        reason.message
        for reason in decision.reasons
        if reason.rule == rule and reason.effect == "require_approval" and reason.enforced
    )
    return next(said, "")


def opened(
    decision: Decision, gate: ApprovalNeeded, fingerprint: str, now: datetime, new_id: str
) -> tuple[Approval, int]:
    """Return a pending approval, and roughly how many bytes it takes.

    Raises:
        ApprovalError: The request cannot be shown to people or bound to them.
    """
    request = decision.request
    principal_id, tenant = _asker(request)
    args, size = (None, 0) if request.args is None else copied(request.args)
    approval = Approval(
        id=new_id,
        rule=gate.rule,
        fingerprint=fingerprint,
        stage=request.stage,
        tool=request.tool,
        target=request.target,
        agent=request.agent,
        principal_id=principal_id,
        tenant=tenant,
        session=request.session,
        args=args,
        message=message_of(decision, gate.rule),
        approvers=gate.approvers,
        quorum=gate.quorum,
        requested_at=now,
        expires_at=later(now, gate.expires),
        policy_revision=decision.policy_revision,
    )
    return approval, size


def copied(args: Mapping[str, object]) -> tuple[dict[str, Any], int]:
    """Copy arguments, and say roughly how many bytes they take.

    Raises:
        ApprovalError: They are no JSON values, or nested too deeply.
    """
    size = 0

    def copy(value: object, depth: int) -> object:
        nonlocal size
        size += _ROUGH
        if depth > _MAX_DEPTH:
            raise ApprovalError("the arguments are nested too deeply for people to judge them")
        kind = type(value)
        if kind is str:
            size += len(value)  # type: ignore[arg-type]
            return value
        if kind is dict:
            return {_key(copy(k, depth + 1)): copy(v, depth + 1) for k, v in value.items()}  # type: ignore[attr-defined]
        if kind is list or kind is tuple:
            return [copy(item, depth + 1) for item in value]  # type: ignore[attr-defined]
        if kind is int:
            bits: int = value.bit_length()  # type: ignore[attr-defined]
            if bits > _MAX_BITS:
                raise ApprovalError("the arguments hold a number too long for people to judge it")
            size += bits >> 3
            return value
        if value is None or kind is float or kind is bool:
            return value
        raise ApprovalError(
            f'the arguments hold a "{kind.__name__}", which people cannot be shown',
            "arguments that need an approval must be JSON values",
        )

    found = {str(name): copy(value, 1) for name, value in args.items()}
    return found, size + sum(map(len, found))


def _key(name: object) -> str:
    if type(name) is not str:
        raise ApprovalError(
            f'the arguments hold a "{type(name).__name__}" as a key, which people cannot be shown',
            "arguments that need an approval must be JSON values",
        )
    return name


def aware(now: datetime) -> datetime:
    """Return the time; one without an offset cannot be told."""
    if now.utcoffset() is None:
        raise TypeError("a time needs an offset from UTC")
    return now


def _asker(request: Request) -> tuple[str | None, str | None]:
    """Return who asks, and of which tenant."""
    principal = {} if request.principal is None else request.principal
    if not isinstance(principal, Mapping):
        raise ApprovalError("the principal is not a mapping, so who asks cannot be told")
    found: list[str | None] = []
    for name in ("id", "tenant"):
        value = principal.get(name)
        if value is not None and not isinstance(value, str):
            raise ApprovalError(f"the principal's {name} is not a text, so who asks cannot be told")
        found.append(value)
    return found[0], found[1]
