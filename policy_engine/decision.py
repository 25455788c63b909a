"""Request, facts, reason, decision: the values that deciding is about."""

import hashlib
import hmac
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal, NoReturn, TypeAlias

from policy_engine.errors import Location

__all__ = [
    "CODES",
    "EFFECTS",
    "NO_FACTS",
    "RANK",
    "STAGES",
    "ApprovalNeeded",
    "ApprovalUse",
    "Context",
    "Count",
    "CounterNeed",
    "Decision",
    "Effect",
    "FactNeed",
    "Facts",
    "Halt",
    "Needs",
    "Obligation",
    "Outcome",
    "Reason",
    "Redaction",
    "Request",
    "Reservation",
    "Session",
    "Stage",
    "Timeout",
    "fingerprint",
    "strictest",
]

Stage: TypeAlias = Literal[
    "input", "tool_call", "tool_result", "handoff", "model_request", "model_response", "output"
]
Effect: TypeAlias = Literal["allow", "redact", "require_approval", "deny"]

STAGES: Final[tuple[Stage, ...]] = (
    "input",
    "tool_call",
    "tool_result",
    "handoff",
    "model_request",
    "model_response",
    "output",
)
EFFECTS: Final[tuple[Effect, ...]] = ("allow", "redact", "require_approval", "deny")
RANK: Final[Mapping[str, int]] = MappingProxyType({name: i for i, name in enumerate(EFFECTS)})
"""How strict an effect is; combining is the maximum."""

_ARGUMENT_KEYWORDS: Final = {
    "type": "has the wrong type",
    "required": "is missing",
    "additionalProperties": "is not an argument of this tool",
    "enum": "is not one of the listed values",
    "const": "is not the one permitted value",
    "minimum": "is below the minimum",
    "maximum": "is above the maximum",
    "exclusiveMinimum": "is not above the bound",
    "exclusiveMaximum": "is not below the bound",
    "multipleOf": "is not a multiple",
    "minLength": "is too short",
    "maxLength": "is too long",
    "maxBytes": "has too many bytes",
    "pattern": "does not match the pattern",
    "format": "does not have the format",
    "minItems": "has too few items",
    "maxItems": "has too many items",
    "uniqueItems": "repeats an item",
    "items": "has items beyond those listed",
    "prefixItems": "has items beyond those listed",
    "contains": "lacks an item that it needs",
    "minContains": "lacks an item that it needs",
    "maxContains": "has an item too often",
    "minProperties": "has too few keys",
    "maxProperties": "has too many keys",
    "propertyNames": "has a key that may not be there",
    "patternProperties": "has a key that may not be there",
    "dependentRequired": "lacks a key that another key needs",
    "anyOf": "fits none of the alternatives",
    "oneOf": "does not fit exactly one alternative",
    "allOf": "does not fit every part",
    "not": "is excluded",
    "if": "does not fit its condition",
    "then": "does not fit its condition",
    "else": "does not fit its condition",
    "$ref": "does not fit the referenced schema",
    "false": "is not accepted",
    "check": "breaks a text check",
    "failed": "could not be judged",
}

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "entry.allow": "an entry permits the name",
        "entry.deny": "an entry denies the name",
        "entry.require_approval": "an entry asks for an approval",
        "default.allow": "no entry names it, and the default is allow",
        "default.deny": "no entry names it, and the default is deny",
        "no_policy": "no policy applies to the request",
        "no_section": "no policy that applies lists names of this kind",
        "observed": "every policy that applies only observes",
        "policy.cannot_tell": "it cannot be told whether a policy applies",
        "rule.always": "a rule without a condition",
        "rule.when": "the condition of a rule holds",
        "rule.cannot_tell": "it cannot be told whether a rule matches",
        "redaction.cannot_tell": "what to redact cannot be told",
        "redaction.stricter": "the redacted request would be treated more strictly",
        "limit.exceeded": "a limit is used up",
        "limit.cannot_tell": "it cannot be told whether a limit is used up",
        "limit.unsettled": "usage of an earlier call was not reported",
        "limit.unpriced": "a cost limit covers a model without a price",
        "approval.approved": "an approval lifts a rule",
        "approval.rejected": "an approver rejected the request",
        "halt": "an operator halted it",
        "halt.cannot_tell": "it cannot be told whether an operator halted it",
        "call.repeated": "a call with this id ran already",
        "call.cannot_tell": "it cannot be told whether a call with this id ran",
        "request.invalid": "the request is not of the documented form",
        "engine.failed": "the engine failed, which denies",
        "check.size.max_chars": "a text has too many characters",
        "check.size.max_bytes": "a text has too many bytes",
        "check.size.max_lines": "a text has too many lines",
        "check.terms": "a text holds a listed term",
        "check.pattern": "a text matches a listed pattern",
        "check.json.parse": "a text is not JSON",
        "check.json.schema": "a JSON text does not fit its schema",
        **{
            f"args.{keyword}": f"an argument {what}" for keyword, what in _ARGUMENT_KEYWORDS.items()
        },
    }
)
"""Why a rule spoke: code -> meaning. The list is closed."""


def strictest(effects: Iterable[Effect]) -> Effect:
    """Combine effects: the strictest one, `allow` where there is none."""
    return max(effects, key=RANK.__getitem__, default="allow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an agent is about to do, read or say.

    Nothing is checked here: a request that is not of the documented form is denied.
    """

    stage: Stage = "tool_call"
    agent: str | None = None
    principal: Mapping[str, Any] | None = None
    """`id`, `roles`, `tenant`, `attrs`."""
    session: str | None = None
    tool: str | None = None
    args: dict[str, Any] | None = None
    result: Any = None
    text: Any = None
    """A string, or a list of content parts as the SDKs write them."""
    target: str | None = None
    """The agent that a handoff goes to."""
    model: str | None = None
    call_id: str | None = None
    context: Mapping[str, Any] | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """What is known of a session when a request is decided."""

    labels: frozenset[str] = frozenset()
    calls: Mapping[str, int] = field(default_factory=dict)
    """How many calls of each tool returned."""
    started: datetime | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """What a counter holds: the amount in the window, and whether usage is still unreported."""

    used: float
    unsettled: bool = False


@dataclass(frozen=True, slots=True)
class Halt:
    """An operator's stop: state, not policy."""

    id: str
    scope: Literal["tool", "agent", "session", "all"]
    name: str | None = None
    """The tool, agent or session; None for everything."""
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a decision sees beside the request; what is absent cannot be told."""

    now: datetime | None = None
    session: Session | None = None
    counters: Mapping[tuple[str, tuple[str, ...]], Count] = field(default_factory=dict)
    """(limit, key) -> what it holds; a pending reservation of the same call id is left out."""
    halts: tuple[Halt, ...] | None = ()
    approvals: Mapping[str, str] = field(default_factory=dict)
    """Rule -> `approved`, `pending`, `rejected` or `expired`, for the request's fingerprint."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    """What the application looked up, by the name of the fact."""
    ran: bool | None = False
    """Whether a call with the request's call id ran already."""


NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True)
class FactNeed:
    """A fact to look up; `arguments` is None where they cannot be told."""

    name: str
    source: str
    arguments: tuple[Any, ...] | None
    timeout: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class CounterNeed:
    """A counter to read."""

    limit: str
    key: tuple[str, ...]
    per: float | str | None
    """A window in seconds, `day`, or None for ever."""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a decision will read."""

    now: bool = False
    session: bool = False
    facts: tuple[FactNeed, ...] = ()
    counters: tuple[CounterNeed, ...] = ()


@dataclass(frozen=True, slots=True)
class Reservation:
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


@dataclass(frozen=True, slots=True)
class Context:
    """What every decision of one engine shares."""

    revision: str
    key: bytes
    declared: frozenset[str]
    """Names of the context that the policies declare: part of the fingerprint."""


class Decision:
    """What may happen to a request, and every reason why."""

    __slots__ = ("_context", "asked", "outcome", "request")

    asked: Request
    """The request as it was asked."""
    request: Request
    """The request as it may run: redacted where a rule says so."""
    outcome: Outcome

    def __init__(
        self, asked: Request, outcome: Outcome, context: Context, request: Request | None = None
    ) -> None:
        _set_asked(self, asked)
        _set_outcome(self, outcome)
        _set_context(self, context)
        _set_request(self, asked if request is None else request)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a decision cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a decision cannot be changed: {name}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            return NotImplemented
        return (
            self.asked == other.asked
            and self.request == other.request
            and self.outcome == other.outcome
            and self._context == other._context
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
        """What the model is told: the messages of the strictest enforced reasons."""
        if self.outcome.effect in ("allow", "redact"):
            return ""
        return " ".join(
            dict.fromkeys(
                reason.message
                for reason in self.outcome.reasons
                if reason.enforced and reason.effect == self.outcome.effect
            )
        )

    @property
    def fingerprint(self) -> str:
        """What an approval is bound to; computed at each reading."""
        return fingerprint(self.request, self._context.key, self._context.declared)

    @property
    def policy_revision(self) -> str:
        """The hash of the policy set that decided."""
        return self._context.revision

    def to_wire(self) -> dict[str, Any]:
        """Return the decision as JSON values; none of the request's values are in it."""
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


_set_asked = Decision.asked.__set__  # type: ignore[attr-defined]
_set_request = Decision.request.__set__  # type: ignore[attr-defined]
_set_outcome = Decision.outcome.__set__  # type: ignore[attr-defined]
_set_context = Decision._context.__set__  # type: ignore[attr-defined]  # noqa: SLF001


def _obligation(item: Obligation) -> dict[str, Any]:
    values = {name: getattr(item, name) for name in item.__slots__ if name != "kind"}
    return {"kind": item.kind, **values}


def fingerprint(request: Request, key: bytes, declared: frozenset[str]) -> str:
    """Bind an approval to exactly one request.

    HMAC-SHA-256 (RFC 2104) over a type-tagged, length-prefixed form: 1, 1.0 and true differ,
    integers are exact, the order of keys does not matter; call id and time are left out.
    """
    principal = request.principal if isinstance(request.principal, Mapping) else {}
    context = request.context if isinstance(request.context, Mapping) else {}
    form = _tagged(
        [
            "policy-engine/fingerprint/1",
            request.stage,
            request.agent,
            principal.get("id"),
            principal.get("tenant"),
            request.session,
            request.tool,
            request.target,
            request.args,
            {name: value for name, value in context.items() if name in declared},
        ],
        0,
    )
    return f"hmac-sha256:{hmac.new(key, form, hashlib.sha256).hexdigest()}"


_MAX_DEPTH: Final = 64


def _tagged(value: object, depth: int) -> bytes:
    if depth > _MAX_DEPTH:
        return b"d;"
    if value is None:
        return b"n;"
    if value is True or value is False:
        return b"t;" if value else b"f;"
    if type(value) is int:
        return _framed(b"i", b"%x" % value if value >= 0 else b"-%x" % -value)
    if type(value) is float:
        return _framed(b"r", struct.pack(">d", value))
    if type(value) is str:
        return _framed(b"s", value.encode("utf-8", "surrogatepass"))
    if isinstance(value, Mapping):
        pairs = sorted((_tagged(k, depth + 1), _tagged(v, depth + 1)) for k, v in value.items())
        return _framed(b"m", b"".join(part for pair in pairs for part in pair))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _framed(b"l", b"".join(_tagged(item, depth + 1) for item in value))
    return _framed(
        b"o", type(value).__qualname__.encode() + b"\x00" + repr(value).encode("utf-8", "replace")
    )


def _framed(tag: bytes, body: bytes) -> bytes:
    return b"%s%d:%s;" % (tag, len(body), body)
