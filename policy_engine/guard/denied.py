"""Denied: an outcome, not a fault."""

from collections.abc import Iterator

from policy_engine.approvals import Approval, Approvals
from policy_engine.decision import CODES, Decision
from policy_engine.errors import PolicyEngineError

__all__ = ["ApprovalRequired", "Denied"]


class Denied(PolicyEngineError):  # noqa: N818 - an outcome is no error
    """The policies do not permit this; `str()` is what the model may be told."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision)
        self.decision = decision
        """The decision, with every reason for the operator."""
        self._notes: list[str] | None = None

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]  # nobody assigns it
        """What a traceback says to the developer; made only when one is shown."""
        if self._notes is None:
            self._notes = list(_notes(self.decision))
        return self._notes

    @property
    def message(self) -> str:
        """What the model may be told, to act on."""
        return self.decision.message

    def __str__(self) -> str:
        return self.decision.message

    def __reduce__(self) -> tuple[object, ...]:
        return Denied, (self.decision,)


class ApprovalRequired(Denied):
    """A denial that people may lift: ask them, then make the same call again."""

    def __init__(
        self, decision: Decision, approvals: tuple[Approval, ...], store: Approvals | None
    ) -> None:
        super().__init__(decision)
        self.approvals = approvals
        """What to ask for, one for each rule that stopped the call."""
        self._store = store

    def __reduce__(self) -> tuple[object, ...]:
        return ApprovalRequired, (self.decision, self.approvals, None)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until all is approved; whether it is, so that the same call may be made again.

        Args:
            timeout: Seconds to wait at most; None for as long as it takes.

        Raises:
            RuntimeError: This came from another process, whose approvals are not known here.
        """
        store = self._known()
        store.wait(self._ids(), timeout)
        return self._is_approved(store)

    async def wait_async(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - as `wait`
        """Wait likewise, without blocking the event loop."""
        store = self._known()
        await store.wait_async(self._ids(), timeout)
        return self._is_approved(store)

    def _ids(self) -> tuple[str, ...]:
        return tuple(approval.id for approval in self.approvals)

    def _known(self) -> Approvals:
        if self._store is None:
            raise RuntimeError("approvals are waited for in the process that asked for them")
        return self._store

    def _is_approved(self, store: Approvals) -> bool:
        return all(store.get(id_).status == "approved" for id_ in self._ids())


def _notes(decision: Decision) -> Iterator[str]:
    """Name the rules and the lines that stopped a request, and what may have been forgotten."""
    codes = set()
    for reason in decision.reasons:
        if reason.enforced and reason.effect == decision.effect:
            where = "" if reason.location is None else f"{reason.location}: "
            meaning = CODES.get(reason.code, "a rule spoke")
            codes.add(reason.code)
            yield f"{where}{reason.rule}: {meaning} [{reason.code}]"
    if "default.deny" in codes:
        yield "to grant it, write its name and what it may be given into that section"
    if "limit.unsettled" in codes:
        yield (
            "some servers report what a streamed response used only where they are asked to: with"
            " the OpenAI Agents SDK, `ModelSettings(include_usage=True)`; where one reports nothing"
            " at all, call guard.record_usage(model=…, input_tokens=…, output_tokens=…) in the same"
            " session"
        )
    request = decision.asked
    nobody = request.session is None and request.agent is None and request.principal is None
    if nobody and any(code == "no_policy" or code.endswith(".cannot_tell") for code in codes):
        yield (
            "no session holds here, so nobody is known to ask: call it inside"
            ' `with guard.session("…", agent="…", principal={"id": "…"})`, and carry the session'
            " into threads with its `bind`"
        )
