"""What a request of one (stage, agent, name) meets, in one call.

Theory of operation. All that depends on names alone is settled when a chain is built: which
policies apply, what their entries say, which rules cover the name. What is left is a short list
of things that may still speak. Most calls break nothing, so `outcome` first asks each of them
whether it is quiet and then hands out one outcome made in advance; only when something may
speak does it ask all of them again and write down every reason. Both roads ask the same
objects, so they cannot differ in what they decide.

Rules of this room. Nothing here reads a clock or stops early: everything that matches speaks,
the strictest wins, and an exception of any kind is a denial.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Final

from policy_engine.compiler.grant import Gate
from policy_engine.compiler.limit import CompiledLimit
from policy_engine.compiler.lookup import FactLookup
from policy_engine.compiler.rule import CANNOT_TELL, CompiledRule, Constraint, Whole
from policy_engine.decision import (
    NO_FACTS,
    RANK,
    ApprovalNeeded,
    ApprovalUse,
    Effect,
    Facts,
    Needs,
    Obligation,
    Outcome,
    Reason,
    Redaction,
    Request,
    Reservation,
    Stage,
    Timeout,
    obligation_order,
    strictest,
)
from policy_engine.errors import CheckError
from policy_engine.policy import Approval
from policy_engine.text import Scanner

__all__ = ["TEXT_OF", "Chain", "Gathered", "ModelChain", "ordered"]

TEXT_OF: Final[dict[Stage, str]] = {
    "input": "text",
    "tool_call": "args",
    "tool_result": "result",
    "model_request": "text",
    "model_response": "text",
    "output": "text",
}
"""Which part of a request the checks of a stage read."""


def ordered(reasons: list[Reason]) -> tuple[Reason, ...]:
    """Return the reasons once each, strictest first, in an order that rules cannot change."""
    return tuple(
        sorted(
            dict.fromkeys(reasons),
            key=lambda r: (
                -RANK[r.effect],
                not r.enforced,
                r.rule,
                r.code,
                str(r.location),
                r.message,
            ),
        )
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What was said while everything was asked."""

    reasons: list[Reason]
    redactions: list[Redaction]
    obligations: list[Obligation]


@dataclass(slots=True)
class Gathered:
    """What the policies that apply bring to a name."""

    constraints: list[Constraint] = field(default_factory=list)
    rules: list[CompiledRule] = field(default_factory=list)
    limits: list[CompiledLimit] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    timeouts: list[float] = field(default_factory=list)
    is_named: bool = False
    """Whether an entry matches the name: one that none matches may be invented."""
    lookups: dict[str, FactLookup] = field(default_factory=dict)
    """The facts that this stage can look up."""

    def without_text(self) -> "Gathered":
        """Return all but the rules about text."""
        return replace(self, rules=[rule for rule in self.rules if not rule.is_about_text])

    def reads(self) -> frozenset[tuple[str, ...]]:
        """Return what the conditions read."""
        return frozenset(
            read for rule in self.rules if rule.condition for read in rule.condition.reads
        )


class Chain:
    """One compiled chain: immutable once made."""

    __slots__ = (
        "_bare",
        "_carried",
        "_conditions",
        "_effect",
        "_fits",
        "_in_parts",
        "_listening",
        "_needs",
        "_others",
        "_quiet",
        "_would",
        "constraints",
        "gates",
        "is_named",
        "is_quiet",
        "known",
        "labels",
        "limits",
        "lookups",
        "reasons",
        "rules",
        "scanner",
        "stage",
        "timeout",
        "wants_now",
        "wants_session",
    )

    def __init__(
        self,
        stage: Stage,
        gathered: Gathered,
        *,
        effect: Effect,
        would: Effect,
        reasons: list[Reason],
        gates: list[Gate],
        scanner: Scanner,
        known: tuple[str, ...],
    ) -> None:
        self.stage = stage
        self.reasons = tuple(reasons)
        self.gates = tuple(gates)
        self.constraints = tuple(gathered.constraints)
        self.rules = tuple(gathered.rules)
        self.limits = tuple(gathered.limits)
        self.labels = tuple(sorted(gathered.labels))
        self.timeout = min(gathered.timeouts, default=None)
        self.scanner = scanner
        self.known = known
        reads = gathered.reads()
        self.wants_now = ("now",) in reads or bool(self.limits)
        self.wants_session = any(r[0] == "session" and r[1:2] != ("id",) for r in reads)
        named = {r[1] if len(r) > 1 else None for r in reads if r[0] == "facts"}
        self.lookups = tuple(
            lookup
            for name, lookup in sorted(gathered.lookups.items())
            if name in named or None in named
        )
        self.is_named = gathered.is_named
        self._carried = attrgetter(TEXT_OF.get(stage, "text"))
        self._in_parts = stage != "tool_call"
        self._needs = Needs(now=self.wants_now, session=self.wants_session, is_named=self.is_named)
        self._effect = effect
        self._would = would
        self._fits = tuple(constraint.arguments.fits for constraint in self.constraints)
        plain = [r for r in self.rules if r.condition and not (r.check or r.guards or r.constraint)]
        self._conditions = tuple(r.condition.function for r in plain if r.condition)
        self._listening = _listening(self.rules, scanner)
        asked = {id(rule) for rule in plain}
        asked.update(id(rule) for rule in self.rules if _listens(rule, scanner))
        self._others = tuple(rule for rule in self.rules if id(rule) not in asked)
        must_ask = bool(gates or self.limits)
        self._quiet = self._settle(_Said([], [], []))
        self._bare = not (must_ask or self._listening or self._others)
        asks = bool(self._fits or self._conditions)
        self.is_quiet = self._bare and not asks and effect == "allow"
        """Whether nothing can speak but what was settled by names, and that permits."""

    @property
    def is_denied(self) -> bool:
        """Whether names alone deny."""
        return self._effect == "deny"

    def outcome(self, request: Request, facts: Facts) -> Outcome:
        """Judge a request of this chain's stage and name."""
        args: Any = request.args
        for fits in self._fits:
            if not fits(args):
                return self._ask(request, facts)
        for condition in self._conditions:
            if condition(request, facts) is not False:
                return self._ask(request, facts)
        if self._bare:
            return self._quiet
        if self.gates:
            return self._ask(request, facts)
        whole = Whole(self._carried(request), self.scanner, self._in_parts)
        for rule in self._others:
            if rule.judge(request, facts, whole) is not None:
                return self._ask(request, facts)
        if not self._is_silent(request, whole):
            return self._ask(request, facts)
        return self._counted(request, facts) if self.limits else self._quiet

    def _counted(self, request: Request, facts: Facts) -> Outcome:
        """Say what is to be reserved where nothing but limits may still speak."""
        reserved: list[Obligation] = []
        for limit in self.limits:
            found = limit.judge(request, facts)
            if found.__class__ is not Reservation:
                return self._ask(request, facts)
            reserved.append(found)
        quiet = self._quiet
        if quiet.effect == "deny":
            return self._ask(request, facts)
        return Outcome(
            quiet.effect,
            quiet.would,
            quiet.reasons,
            (),
            _in_order([*quiet.obligations, *reserved]),
            quiet.labels,
        )

    def _is_silent(self, request: Request, whole: Whole) -> bool:
        """Whether no pattern is found that a rule listens to."""
        scan = self.scanner.scan
        try:
            for rule, ids in self._listening:
                values = rule.values(request) if rule.reads else (("", whole.value),)
                for pointer, value in values:
                    # Most texts are plain and clean, and cost no more than the scan.
                    if value.__class__ is str and value.isascii() and not scan(value):
                        continue
                    content = whole.at(pointer, value) if rule.reads else whole()
                    if content.unread or not ids.isdisjoint(content.hits):
                        return False
        except CheckError:
            return False
        return True

    def needs(self, request: Request) -> Needs:
        """List what a decision about this request reads."""
        if not self.limits and not self.lookups:
            return self._needs
        needed = (limit.need(request, NO_FACTS) for limit in self.limits)
        return Needs(
            now=self.wants_now,
            session=self.wants_session,
            facts=tuple(lookup.need(request) for lookup in self.lookups),
            counters=tuple(need for need in needed if need is not None),
            is_named=self.is_named,
        )

    def _ask(self, request: Request, facts: Facts) -> Outcome:
        """Ask everything and keep every reason."""
        said = _Said([], [], [])
        whole = Whole(self._carried(request), self.scanner, self._in_parts)
        for constraint in self.constraints:
            said.reasons.extend(constraint.reasons(request.args))  # type: ignore[arg-type]
        for gate in self.gates:
            _gate(said, gate.reason, gate.approval, facts)
        redacting: list[tuple[CompiledRule, str]] = []
        for rule in self.rules:
            code = rule.judge(request, facts, whole)
            if code is None:
                continue
            if rule.effect == "redact" and code != CANNOT_TELL:
                redacting.append((rule, code))
            else:
                _speak(said, rule, code, request, facts)
        for limit in self.limits:
            found = limit.judge(request, facts)
            (said.obligations if isinstance(found, Reservation) else said.reasons).append(found)  # type: ignore[arg-type]
        # Where the request is denied nothing is replaced, so the pieces are not looked for: a
        # text may be nothing but pieces, and be denied for its size.
        denied = self._effect == "deny" or any(
            reason.effect == "deny" and reason.enforced for reason in said.reasons
        )
        for rule, code in redacting:
            if denied:
                said.reasons.append(rule.reason(code))
            else:
                _redact(said, rule, code, request, whole)
        return self._settle(said)

    def _settle(self, said: _Said) -> Outcome:
        enforced = [reason.effect for reason in said.reasons if reason.enforced]
        effect = strictest([self._effect, *enforced])
        would = strictest([self._would, *(reason.effect for reason in said.reasons)])
        if effect == "deny":
            reasons = ordered([*self.reasons, *said.reasons])
            return Outcome(effect, would, reasons, known=self.known)
        obligations = list(said.obligations)
        if self.timeout is not None:
            obligations.append(Timeout(self.timeout))
        return Outcome(
            effect=effect,
            would=would,
            reasons=ordered([*self.reasons, *said.reasons]),
            redactions=tuple(
                sorted(said.redactions, key=lambda r: (r.pointer, r.start, r.end, r.rule))
            ),
            obligations=_in_order(obligations),
            labels=self.labels,
        )


class ModelChain(Chain):
    """The chain of requests to a model, whose text is absent where nothing is new in them.

    Rules about text then have nothing to speak of.

    Args:
        whole: The chain of a request with text.
        textless: That of one without.
    """

    __slots__ = ("_textless",)

    def __init__(self, whole: Chain, textless: Chain) -> None:
        for name in Chain.__slots__:
            setattr(self, name, getattr(whole, name))
        self._textless = textless

    def outcome(self, request: Request, facts: Facts) -> Outcome:
        """Judge a request of this chain's stage and name."""
        if request.text is None:
            return self._textless.outcome(request, facts)
        return super().outcome(request, facts)


def _in_order(obligations: Iterable[Obligation]) -> tuple[Obligation, ...]:
    """Return obligations in an order that the order of rules cannot change."""
    return tuple(sorted(obligations, key=obligation_order))


def _listens(rule: CompiledRule, scanner: Scanner) -> bool:
    """Whether a rule is quiet wherever none of its check's patterns is found."""
    if rule.check is None or not rule.check.ids:
        return False
    return rule.check.ids.isdisjoint(scanner.backtracking)


def _listening(
    rules: Iterable[CompiledRule], scanner: Scanner
) -> tuple[tuple[CompiledRule, frozenset[int]], ...]:
    """Put together the patterns of rules that read the same."""
    found: dict[tuple[object, ...], tuple[CompiledRule, frozenset[int]]] = {}
    for rule in rules:
        if rule.check is not None and _listens(rule, scanner):
            key = (*rule.reads, rule.declared)
            first, ids = found.get(key, (rule, rule.check.ids))
            found[key] = (first, ids | rule.check.ids)
    return tuple(found.values())


def _gate(said: _Said, reason: Reason, gate: Approval, facts: Facts) -> None:
    """Let an approval lift a rule, or ask for one."""
    status = facts.approvals.get(reason.rule) if reason.enforced else None
    if status == "approved":
        said.reasons.append(Reason(reason.rule, "allow", "approval.approved", "", reason.location))
        said.obligations.append(ApprovalUse(reason.rule))
    elif status == "rejected":
        text = "An approver rejected this."
        said.reasons.append(Reason(reason.rule, "deny", "approval.rejected", text, reason.location))
    else:
        said.reasons.append(reason)
        if reason.enforced:
            said.obligations.append(
                ApprovalNeeded(reason.rule, gate.approvers, gate.quorum, gate.expires)
            )


def _speak(said: _Said, rule: CompiledRule, code: str, request: Request, facts: Facts) -> None:
    """Say what a rule says that replaces nothing."""
    if rule.constraint is not None and code.startswith("args."):
        reasons = rule.constraint.reasons(request.args)  # type: ignore[arg-type]
    else:
        reasons = [rule.reason(code)]
    if rule.effect == "require_approval" and rule.approval is not None:
        _gate(said, reasons[0], rule.approval, facts)
    elif rule.effect == "redact":
        said.reasons.append(_untold(rule))
    else:
        said.reasons.extend(reasons)


def _redact(said: _Said, rule: CompiledRule, code: str, request: Request, whole: Whole) -> None:
    """Say what a rule replaces; where that cannot be told it denies."""
    try:
        spans = rule.redactions(request, whole)
    except CheckError:
        spans = []
    said.reasons.append(rule.reason(code) if spans else _untold(rule))
    if rule.enforced:
        said.redactions.extend(spans)


def _untold(rule: CompiledRule) -> Reason:
    return Reason(
        rule.name,
        "deny",
        "redaction.cannot_tell",
        rule.message or f'The rule "{rule.name}" cannot tell what to redact.',
        rule.location,
        rule.enforced,
    )
