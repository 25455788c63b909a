"""What a store of approvals can do; the guard and people know no more of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from policy_engine.approvals.approval import Approval, Status
from policy_engine.decision import ApprovalNeeded, Decision

__all__ = ["Approvals"]


@runtime_checkable
class Approvals(Protocol):
    """Approvals, one for each request and rule; safe for threads.

    The guard calls `ask`, `statuses`, `use` and `release` and says what time it is; people call
    the rest.
    """

    @property
    def key(self) -> bytes:
        """The secret that fingerprints are made with; it lives as long as the approvals."""

    def ask(self, decision: Decision, now: datetime) -> tuple[Approval, ...]:
        """Return one approval for each that the decision needs, opened where none lives.

        Asking again with the same request resumes. One that expired or was used is replaced;
        one that was rejected stays so until it expires.

        Raises:
            ApprovalError: It cannot be opened, which denies: too many wait, or the request
                cannot be shown to people or bound to them. None is opened then.
        """

    def statuses(
        self, fingerprint: str, gates: Sequence[ApprovalNeeded], now: datetime
    ) -> dict[str, Status]:
        """Return rule -> status, judged by what the rules ask now.

        A rule that was never asked for is absent.

        Args:
            fingerprint: The request's.
            gates: What the newest revision asks for.
            now: The time.
        """

    def use(self, fingerprint: str, gates: Sequence[ApprovalNeeded], now: datetime) -> bool:
        """Use up the approvals of all gates at once, just before the call; or none of them.

        Returns:
            Whether all were approved. Of callers that race, one is told so.
        """

    def release(self, fingerprint: str, rules: Iterable[str]) -> None:
        """Give back what `use` used up, where the call certainly did not run."""

    def pending(self) -> list[Approval]:
        """List what waits for people, oldest first."""

    def get(self, id: str) -> Approval:  # noqa: A002 - it is the word for it
        """Return one approval.

        Raises:
            ApprovalNotFoundError: No approval has this id.
        """

    def approve(self, id: str, *, by: Mapping[str, object], reason: str = "") -> Approval:  # noqa: A002 - it is the word for it
        """Add a person's approval; enough of them lift the rule for one call.

        Args:
            id: The approval's.
            by: Who approves, such as `{"id": "f1", "roles": ["finance"]}`.
            reason: Why, for the record.

        Raises:
            ApprovalNotFoundError: No approval has this id.
            ApprovalExpiredError: It is too late.
            ApprovalMismatchError: It is over, or this person may not approve it (again).
            ApprovalError: Who approves is not said in this form.
        """

    def reject(self, id: str, *, by: Mapping[str, object], reason: str = "") -> Approval:  # noqa: A002 - it is the word for it
        """Reject it, which ends it; raises as `approve` does."""

    def wait(self, ids: Iterable[str], timeout: float | None = None) -> bool:
        """Wait until all are approved, or one can no longer be.

        Returns:
            Whether that came; where not, the timeout did.

        Raises:
            ApprovalNotFoundError: No approval has one of the ids.
        """

    async def wait_async(self, ids: Iterable[str], timeout: float | None = None) -> bool:  # noqa: ASYNC109 - as `wait`, which it mirrors
        """Wait as `wait` does, without blocking the loop; cancelling it changes nothing."""
