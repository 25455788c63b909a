"""What may happen to a request, and every reason why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from policy_engine.decision.request import Request, fingerprint
from policy_engine.decision.words import Effect
from policy_engine.errors import Location

__all__ = [
    "ApprovalNeeded",
    "ApprovalUse",
    "Context",
    "Decision",
    "Obligation",
    "Outcome",
    "Reason",
    "Redaction",
    "Reservation",
    "Timeout",
    "obligation_order",
]


_LONGEST_NAME: Final = 200


class Reservation(NamedTuple):
    """Count this if the call is permitted; all reservations of a call or none."""

    limit: str
    key: tuple[str, ...]
    amount: float | None
    """None for tokens and cost, which are settled by the reported usage."""
    unit: str
    """`calls`, `tokens`, `cost_usd` or `args.<name>`."""
    max: float
    per: float | str | None
    timezone: str = "UTC"
    alert_at: float | None = None
    enforced: bool = True

    kind: Literal["reserve"] = "reserve"


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    """Ask these people before the call may run."""

    rule: str
    approvers: tuple[str, ...]
    quorum: int
    expires: float
    """Seconds."""

    kind: Literal["approve"] = "approve"


@dataclass(frozen=True, slots=True)
class ApprovalUse:
    """Use up the approval that lifts this rule, just before the call."""

    rule: str

    kind: Literal["use_approval"] = "use_approval"


@dataclass(frozen=True, slots=True)
class Timeout:
    """Give the call no more time than this."""

    seconds: float

    kind: Literal["timeout"] = "timeout"


Obligation: TypeAlias = Reservation | ApprovalNeeded | ApprovalUse | Timeout


def obligation_order(item: Obligation) -> tuple[str, str, tuple[str, ...]]:
    """Order obligations by what they are and by the rule or limit that they are for."""
    if isinstance(item, Reservation):
        return (item.kind, item.limit, item.key)
    name = "" if isinstance(item, Timeout) else item.rule
    return (item.kind, name, ())


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that spoke."""

    rule: str
    effect: Effect
    code: str
    """One of `CODES`."""
    message: str
    location: Location | None = None
    enforced: bool = True

    def to_wire(self) -> dict[str, Any]:
        """Return the reason as it stands in a decision's JSON."""
        return {
            "rule": self.rule,
            "effect": self.effect,
            "code": self.code,
            "enforced": self.enforced,
            "message": self.message,
            "location": None if self.location is None else str(self.location),
        }


@dataclass(frozen=True, slots=True)
class Redaction:
    """A span to replace; offsets are code points of the string at the JSON Pointer."""

    pointer: str
    start: int
    end: int
    replacement: str
    rule: str

    def to_wire(self) -> dict[str, Any]:
        """Return the redaction as it stands in a decision's JSON."""
        return {
            "pointer": self.pointer,
            "start": self.start,
            "end": self.end,
            "replacement": self.replacement,
            "rule": self.rule,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rules said: the part of a decision that does not depend on who asks."""

    effect: Effect
    would: Effect
    reasons: tuple[Reason, ...] = ()
    redactions: tuple[Redaction, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    labels: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    """Names that are permitted where the asked one is not; a hint is made of them."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every decision of one engine shares."""

    revision: str
    key: bytes = field(repr=False)
    """A secret: it stands in nothing that is printed or sent."""
    declared: frozenset[str]
    """Names of the context that the policies declare: part of the fingerprint."""


class Decision:
    """What may happen to a request, and every reason why; it cannot be changed."""

    __slots__ = ("asked", "context", "outcome", "request")

    asked: Request
    """The request as it was asked."""
    outcome: Outcome
    """What the rules said."""
    context: Context
    """What every decision of its engine shares."""
    request: Request
    """The request as it may run: redacted where a rule says so."""

    def __init__(
        self, asked: Request, outcome: Outcome, context: Context, request: Request | None = None
    ) -> None:
        _set_asked(self, asked)
        _set_outcome(self, outcome)
        _set_context(self, context)
        _set_request(self, asked if request is None else request)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f'a decision cannot be changed, so not its "{name}"')

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f'a decision cannot be changed, so not its "{name}"')

    def __copy__(self) -> "Decision":
        return self

    def __deepcopy__(self, memo: object) -> "Decision":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # What is sent to another process says the same, and holds no secret.
        told = (_plain(self.asked), _plain(self.request), self.outcome)
        return _Sent, (*told, self.policy_revision, self.fingerprint)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            return NotImplemented
        return (
            self.asked == other.asked
            and self.request == other.request
            and self.outcome == other.outcome
            and self.context == other.context
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        rules = ", ".join(reason.rule for reason in self.outcome.reasons)
        return f"Decision({self.outcome.effect}: {rules})"

    @property
    def id(self) -> str | None:
        """The request's id."""
        return self.asked.id

    @property
    def effect(self) -> Effect:
        """The strictest effect of the enforced rules that spoke."""
        return self.outcome.effect

    @property
    def permitted(self) -> bool:
        """Whether the request may go on as it stands in `request`."""
        return self.outcome.effect in ("allow", "redact")

    @property
    def would(self) -> Effect:
        """The effect if every observed rule and policy were enforced."""
        return self.outcome.would

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every rule that spoke, strictest first."""
        return self.outcome.reasons

    @property
    def redactions(self) -> tuple[Redaction, ...]:
        """The spans that are replaced in `request`."""
        return self.outcome.redactions

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """What the guard must do for this decision to hold."""
        return self.outcome.obligations

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the session carries once the call has returned."""
        return self.outcome.labels

    @property
    def message(self) -> str:
        """What the model is told: the messages of the strictest enforced reasons.

        What is known to be wrong comes before what cannot be told.
        """
        if self.effect == "allow":
            return ""
        spoke = [r for r in self.outcome.reasons if r.enforced and r.effect == self.effect]
        spoke.sort(key=lambda reason: reason.code.endswith("cannot_tell"))
        said = dict.fromkeys(reason.message for reason in spoke)
        return " ".join([*said, *self._hints()])

    def _hints(self) -> list[str]:
        """Suggest a permitted name that is written much like the asked one."""
        asked = self.asked.tool or self.asked.target or self.asked.model
        if not self.outcome.known or not isinstance(asked, str):
            return []
        near = get_close_matches(asked[:_LONGEST_NAME], self.outcome.known, n=1)
        return [f'Did you mean "{name}"?' for name in near]

    @property
    def fingerprint(self) -> str:
        """What an approval is bound to; computed at each reading."""
        return fingerprint(self.request, self.context.key, self.context.declared)

    @property
    def policy_revision(self) -> str:
        """The hash of the policy set that decided."""
        return self.context.revision

    def denied(self, code: str, message: str) -> "Decision":
        """Return the denial that this decision becomes where it cannot be carried out."""
        reason = Reason("guard", "deny", code, message)
        would: Effect = "deny"
        outcome = Outcome("deny", would, (reason, *self.outcome.reasons))
        return Decision(self.asked, outcome, self.context)

    def to_wire(self) -> dict[str, Any]:
        """Return the decision as JSON values.

        None of the request's values are in it; a redaction's pointer names keys of it.
        """
        return {
            "id": self.id,
            "effect": self.effect,
            "permitted": self.permitted,
            "would": self.would,
            "reasons": [reason.to_wire() for reason in self.reasons],
            "message": self.message,
            "redactions": [redaction.to_wire() for redaction in self.redactions],
            "obligations": [_obligation(item) for item in self.obligations],
            "labels": list(self.labels),
            "fingerprint": self.fingerprint,
            "policy_revision": self.policy_revision,
        }


_Setter: TypeAlias = Callable[[Decision, Any], None]

_SLOTS: Final = vars(Decision)
_set_asked: _Setter = _SLOTS["asked"].__set__
_set_outcome: _Setter = _SLOTS["outcome"].__set__
_set_context: _Setter = _SLOTS["context"].__set__
_set_request: _Setter = _SLOTS["request"].__set__


class _Sent(Decision):
    """A decision from another process, whose fingerprint was computed where it was made."""

    __slots__ = ("_sent",)

    _sent: str

    def __init__(
        self, asked: Request, request: Request, outcome: Outcome, revision: str, sent: str
    ) -> None:
        super().__init__(asked, outcome, Context(revision, b"", frozenset()), request)
        object.__setattr__(self, "_sent", sent)

    @property
    def fingerprint(self) -> str:
        """What an approval is bound to."""
        return self._sent


def _plain(request: Request) -> Request:
    """Return a request without views of mappings, which cannot be sent."""
    changes: dict[str, Any] = {}
    for name in ("principal", "context"):
        value = getattr(request, name)
        if isinstance(value, Mapping):
            changes[name] = dict(value)
    return replace(request, **changes)


_OF_THE_REQUEST: Final = ("kind", "key", "amount")
"""Fields of a reservation that hold values of the request: `by: [args.x]`, `of: args.x`."""


def _obligation(item: Obligation) -> dict[str, Any]:
    names = item._fields if isinstance(item, Reservation) else item.__slots__
    values = {name: getattr(item, name) for name in names if name not in _OF_THE_REQUEST}
    return {"kind": item.kind, **values}
