"""One approval: what is asked, who answered, and what that is worth to a rule.

Theory of operation. An approval belongs to one fingerprint and one rule. It keeps what people
answered, never a verdict: whether it is approved is judged against what the rule asks at that
moment, so a policy that became stricter is obeyed by approvals that were given before. Only
three things are settled for good: that it was used, that it was rejected, that it expired.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from policy_engine.decision import ApprovalNeeded, Stage

__all__ = [
    "Approval",
    "Grant",
    "Status",
    "is_requester_asked",
    "later",
    "may_answer",
    "renewed",
    "settled",
    "standing",
    "supporters",
]

Status: TypeAlias = Literal["pending", "approved", "rejected", "expired", "used"]

_REQUESTER: Final = "requester"


@dataclass(frozen=True, slots=True)
class Grant:
    """One person's approval."""

    by_id: str
    roles: tuple[str, ...]
    """The roles that the person had when approving."""
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What people are asked, and what they answered: one request, one rule."""

    id: str
    """Cannot be guessed."""
    rule: str
    fingerprint: str
    stage: Stage
    tool: str | None = None
    target: str | None = None
    agent: str | None = None
    principal_id: str | None = None
    tenant: str | None = None
    session: str | None = None
    args: dict[str, Any] | None = None
    """The arguments that the call would receive, redacted where a rule says so."""
    message: str = ""
    """Why the rule asks."""
    approvers: tuple[str, ...]
    """Roles, any of which may approve; `requester` alone is the end user's confirmation."""
    quorum: int
    requested_at: datetime
    expires_at: datetime
    policy_revision: str
    status: Status = "pending"
    grants: tuple[Grant, ...] = ()
    rejected_by: str | None = None
    rejected_at: datetime | None = None
    rejected_reason: str = ""
    used_at: datetime | None = None

    @property
    def gate(self) -> ApprovalNeeded:
        """What the rule asked for when this was last asked for."""
        expires = (self.expires_at - self.requested_at).total_seconds()
        return ApprovalNeeded(self.rule, self.approvers, self.quorum, expires)

    def to_wire(self) -> dict[str, Any]:
        """Return the approval as JSON values; the arguments are in it."""
        found: dict[str, Any] = {}
        for field in fields(self):
            found[field.name] = _wire(getattr(self, field.name))
        found["grants"] = [
            {"by": g.by_id, "roles": list(g.roles), "at": _wire(g.at), "reason": g.reason}
            for g in self.grants
        ]
        return found


def standing(approval: Approval, gate: ApprovalNeeded, now: datetime) -> Status:
    """Judge an approval against what the rule asks now.

    Args:
        approval: As it is stored.
        gate: What the newest revision of the rule asks for.
        now: The time.
    """
    if approval.status in ("used", "expired"):
        return approval.status
    if now >= approval.expires_at:
        return "expired"
    # A rejection is not shortened by a rule that became shorter: that would let it be asked again.
    if approval.status == "rejected":
        return "rejected"
    if now >= later(approval.requested_at, gate.expires):
        return "expired"
    return "approved" if supporters(approval, gate.approvers) >= max(1, gate.quorum) else "pending"


def supporters(approval: Approval, approvers: Iterable[str]) -> int:
    """Count the distinct people whose grants these approvers make count."""
    asked = frozenset(approvers)
    people = {g.by_id for g in approval.grants if may_answer(approval, asked, g.by_id, g.roles)}
    return len(people)


def may_answer(
    approval: Approval, approvers: Iterable[str], by_id: str, roles: Iterable[str]
) -> bool:
    """Tell whether a person counts: by a role and not the requester, or as the requester."""
    asked = frozenset(approvers)
    if is_requester_asked(asked):
        return approval.principal_id is not None and by_id == approval.principal_id
    # Where no principal is known, it is the agent that asks.
    asker = approval.agent if approval.principal_id is None else approval.principal_id
    return by_id != asker and not asked.isdisjoint(set(roles) - {_REQUESTER})


def is_requester_asked(approvers: Iterable[str]) -> bool:
    """Tell whether it is the end user's own confirmation that is asked for."""
    return set(approvers) == {_REQUESTER}


def renewed(approval: Approval, gate: ApprovalNeeded, message: str, revision: str) -> Approval:
    """Ask the people whom the rule names now; the time to answer never grows by that."""
    if approval.status not in ("pending", "approved"):
        return approval
    expires = min(approval.expires_at, later(approval.requested_at, gate.expires))
    return settled(
        replace(
            approval,
            approvers=gate.approvers,
            quorum=gate.quorum,
            expires_at=expires,
            message=message,
            policy_revision=revision,
        )
    )


def settled(approval: Approval) -> Approval:
    """Say pending or approved, by the rule as it was last asked for."""
    enough = supporters(approval, approval.approvers) >= max(1, approval.quorum)
    return replace(approval, status="approved" if enough else "pending")


def later(start: datetime, seconds: float) -> datetime:
    """Return the time that many seconds later, as far as a calendar goes."""
    try:
        return start + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _wire(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value
