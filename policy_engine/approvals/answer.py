"""What people answer: who may say it, and what it changes.

Rules of this room. These functions read and return values; a store keeps them. Every store
refuses in the same words, because it asks here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from policy_engine.approvals.approval import (
    Approval,
    Grant,
    is_requester_asked,
    may_answer,
    settled,
    standing,
)
from policy_engine.errors import ApprovalError, ApprovalExpiredError, ApprovalMismatchError

__all__ = ["Person", "approved", "person", "rejected"]

_KNOWN: Final = ("id", "roles", "tenant", "attrs")
_FORM: Final = 'write it as {"id": "f1", "roles": ["finance"]}'


@dataclass(frozen=True, slots=True)
class Person:
    """Who answers."""

    id: str
    roles: tuple[str, ...] = ()
    tenant: str | None = None


def person(by: Mapping[str, object]) -> Person:
    """Read who answers, strictly.

    Args:
        by: `id`, and where the person has them `roles` and `tenant`, as a principal is written.

    Raises:
        ApprovalError: It is not of that form.
    """
    if not isinstance(by, Mapping):
        raise ApprovalError(f"who answers must be a mapping, not {_kind(by)}", _FORM)
    for key in by:
        if key not in _KNOWN:
            raise ApprovalError(f'"{key}" says nothing about who answers', _FORM)
    name, roles, tenant = by.get("id"), by.get("roles", ()), by.get("tenant")
    if not isinstance(name, str) or not name.strip():
        raise ApprovalError("who answers needs an id that is not empty", _FORM)
    if not isinstance(roles, list | tuple | set | frozenset):
        raise ApprovalError(f'the roles of "{name}" must be a list, not {_kind(roles)}', _FORM)
    if not all(isinstance(role, str) and role for role in roles):
        raise ApprovalError(f'the roles of "{name}" must be texts that are not empty', _FORM)
    if tenant is not None and not isinstance(tenant, str):
        raise ApprovalError(f'the tenant of "{name}" must be a text, not {_kind(tenant)}', _FORM)
    return Person(str(name), tuple(sorted(map(str, roles))), tenant)


def approved(approval: Approval, by: Person, reason: str, now: datetime) -> Approval:
    """Return the approval with one more grant.

    Raises:
        ApprovalExpiredError: It is too late.
        ApprovalMismatchError: It is over, or this person may not approve it (again).
    """
    _refuse_late(approval, now)
    _refuse_foreign(approval, by)
    if not may_answer(approval, approval.approvers, by.id, by.roles):
        _refuse_person(approval, by)
    before = [grant for grant in approval.grants if grant.by_id == by.id]
    for grant in before:
        if may_answer(approval, approval.approvers, grant.by_id, grant.roles):
            raise ApprovalMismatchError(
                f'"{by.id}" has approved "{approval.id}" already',
                _quorum(approval) if approval.status == "pending" else None,
            )
    kept = tuple(grant for grant in approval.grants if grant not in before)
    grant = Grant(by.id, by.roles, now, _reason(reason))
    return settled(replace(approval, grants=(*kept, grant)))


def rejected(approval: Approval, by: Person, reason: str, now: datetime) -> Approval:
    """Return the approval as rejected, which ends it; the requester may withdraw it so.

    Raises:
        ApprovalExpiredError: It is too late.
        ApprovalMismatchError: It is over, or this person may not reject it.
    """
    _refuse_late(approval, now)
    _refuse_foreign(approval, by)
    if by.id != approval.principal_id and not may_answer(
        approval, approval.approvers, by.id, by.roles
    ):
        _refuse_person(approval, by)
    return replace(
        approval,
        status="rejected",
        rejected_by=by.id,
        rejected_at=now,
        rejected_reason=_reason(reason),
    )


def _refuse_late(approval: Approval, now: datetime) -> None:
    found = standing(approval, approval.gate, now)
    if found == "used":
        raise ApprovalMismatchError(
            f'"{approval.id}" was used already', "an approval lifts one call; let it be asked again"
        )
    if found == "expired":
        raise ApprovalExpiredError(
            f'"{approval.id}" expired at {approval.expires_at.isoformat(timespec="seconds")}',
            "let the agent ask again with the same request",
        )
    if found == "rejected":
        raise ApprovalMismatchError(
            f'"{approval.id}" was rejected already by "{approval.rejected_by}"',
            "a rejection ends an approval; it can be asked for again once it has expired",
        )


def _refuse_foreign(approval: Approval, by: Person) -> None:
    if None not in (by.tenant, approval.tenant) and by.tenant != approval.tenant:
        raise ApprovalMismatchError(
            f'"{by.id}" belongs to the tenant "{by.tenant}" and cannot answer "{approval.id}"'
        )


def _refuse_person(approval: Approval, by: Person) -> None:
    """Say why this person does not count."""
    if is_requester_asked(approval.approvers):
        raise ApprovalMismatchError(
            f'"{by.id}" did not make the request "{approval.id}", and only who made it may '
            "confirm it",
            "the request has no principal, so nobody can"
            if approval.principal_id is None
            else None,
        )
    if by.id == approval.principal_id or (
        approval.principal_id is None and by.id == approval.agent
    ):
        raise ApprovalMismatchError(
            f'"{by.id}" made the request "{approval.id}" and cannot approve it',
            _quorum(approval),
        )
    given = _listed(by.roles) if by.roles else "none"
    raise ApprovalMismatchError(
        f'"{by.id}" has no role that may answer "{approval.id}"',
        f"the roles given are: {given}; {_quorum(approval)}",
    )


def _quorum(approval: Approval) -> str:
    people = "person" if approval.quorum == 1 else "people"
    roles = "role" if len(approval.approvers) == 1 else "roles"
    return f"it needs {approval.quorum} {people} of the {roles} {_listed(approval.approvers)}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _reason(reason: str) -> str:
    if not isinstance(reason, str):
        raise ApprovalError(f"a reason must be a text, not {_kind(reason)}")
    return reason


def _kind(value: object) -> str:
    return f'"{type(value).__name__}"'
