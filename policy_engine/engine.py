"""Answers once: a request and the facts in, a decision with every reason out.

Theory of operation. `decide` finds the chain of (stage, agent, name), asks it, and wraps what
it says. A request that is redacted is asked once more as it would run, and anything stricter
denies. The memo from names to chains is bounded, because a model can invent names.

Rules of this room. Pure: nothing here reads a clock, a disk or a network, or logs. Whatever
goes wrong is a denial; `decide` never raises.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from operator import attrgetter
from typing import Any, Final

from policy_engine.compiler import TEXT_OF, Chain, Compiled, CompiledLimit, Status, ordered
from policy_engine.compiler.message import approval as approval_text
from policy_engine.compiler.message import per
from policy_engine.decision import (
    CODES,
    NO_FACTS,
    RANK,
    STAGES,
    ApprovalNeeded,
    ApprovalUse,
    Context,
    Decision,
    Effect,
    Facts,
    Halt,
    Needs,
    Outcome,
    Reason,
    Request,
    Stage,
    obligation_order,
    strictest,
)
from policy_engine.errors import CheckError, Location
from policy_engine.text import Redaction as TextRedaction
from policy_engine.text import redact

__all__ = ["ChainLink", "Engine"]

_MEMO: Final = 10_000
_MOST_FORKS: Final = 8
_NAME_OF: Final[Mapping[str, str]] = {
    "tool_call": "tool",
    "tool_result": "tool",
    "handoff": "target",
    "model_request": "model",
    "model_response": "model",
}
_NAMELESS: Final = attrgetter("stage", "agent")
_KEYS: Final[Mapping[str, Callable[[Request], tuple[Any, ...]]]] = {
    stage: attrgetter("stage", "agent", _NAME_OF[stage]) if stage in _NAME_OF else _NAMELESS
    for stage in STAGES
}
"""Stage -> what a chain is found by."""
_CALLS: Final = frozenset({"tool_call", "tool_result"})
_SAID: Final = frozenset({"input", "output", "model_response"})
"""The stages that are about a text alone."""
_NO_NEEDS: Final = Needs()
_INVALID: Final = Outcome(
    "deny",
    "deny",
    (Reason("request", "deny", "request.invalid", "The request is not of the documented form."),),
)


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One thing that a call would meet."""

    rule: str
    what: str
    effect: str
    location: Location | None
    enforced: bool


class _Fork:
    """Chains of one name that differ by who the principal is."""

    __slots__ = ("chains",)

    def __init__(self) -> None:
        self.chains: dict[tuple[Status, ...], Chain] = {}


class Engine:
    """Decides requests by a compiled policy set; thread-safe, because nothing is changed.

    Args:
        compiled: The policy set.
        key: The secret that fingerprints are made with: the approval store's.
    """

    def __init__(self, compiled: Compiled, *, key: bytes = b"policy-engine") -> None:
        self.compiled = compiled
        self._context = Context(compiled.policies.revision, key, compiled.declared)
        self._memo: dict[tuple[Any, Any, Any], Chain | _Fork | None] = {}
        self._chains: dict[tuple[object, ...], Chain] = {}
        self._denied: dict[tuple[str, str, str | None], bool] = {}

    def decide(self, request: Request, facts: Facts = NO_FACTS) -> Decision:
        """Decide a request; whatever is wrong with it is a denial."""
        try:
            chain = self._chain(request)
            if chain is None:
                return Decision(request, _INVALID, self._context)
            outcome = chain.outcome(request, facts)
            if facts.halts != () or facts.ran is not False:
                outcome = _interrupted(outcome, request, facts)
            if outcome.redactions:
                return self._redacted(chain, request, facts, outcome)
            return Decision(request, outcome, self._context)
        except Exception as error:  # noqa: BLE001 - doubt denies, whatever it is made of
            return Decision(request, _failed(error), self._context)

    def denied(self, request: Request, code: str, message: str) -> Decision:
        """Return a denial that the guard gives before anything can be asked about a request."""
        reason = Reason("guard", "deny", code, message)
        return Decision(request, Outcome("deny", "deny", (reason,)), self._context)

    def needs(self, request: Request) -> Needs:
        """List what the decision will read; nothing where the request is invalid."""
        try:
            chain = self._chain(request)
            return _NO_NEEDS if chain is None else chain.needs(request)
        except Exception:  # noqa: BLE001 - an invalid request is denied when it is decided
            return _NO_NEEDS

    def limits(self, request: Request) -> tuple[CompiledLimit, ...]:
        """Return the limits that a request counts towards."""
        chain = self._known(request)
        return () if chain is None else chain.limits

    def is_named(self, request: Request) -> bool:
        """Whether an entry matches the request's name; one that none matches may be invented."""
        chain = self._known(request)
        return chain is not None and chain.is_named

    def is_quiet(self, request: Request) -> bool:
        """Whether nothing but names decides this request, and it is permitted."""
        chain = self._known(request)
        return chain is not None and chain.is_quiet

    def never_permits(self, stage: Stage, name: str, agent: str | None) -> bool:
        """Whether names alone deny this, whoever the principal is.

        Where too many policies depend on the principal to try them all, it is not told: False.
        """
        key = (stage, name, agent)
        known = self._denied.get(key)
        if known is None:
            if len(self._denied) >= _MEMO:
                self._denied.clear()
            known = self._denied[key] = self._never_permits(stage, name, agent)
        return known

    def _never_permits(self, stage: Stage, name: str, agent: str | None) -> bool:
        asked = Request(stage=stage, agent=agent)
        choices: list[tuple[Status, ...]] = []
        for applies in self.compiled.applies:
            if applies is None:
                choices.append((Status.YES,))
                continue
            alone = replace(applies, roles=None, tenants=None).status(asked)
            by_principal = applies.by_principal and alone is not Status.NO
            choices.append((Status.NO, alone) if by_principal else (alone,))
        if sum(len(choice) > 1 for choice in choices) > _MOST_FORKS:
            return False
        chains = (self.compiled.chain(stage, name, picked) for picked in product(*choices))
        return all(chain.is_denied for chain in chains)

    def is_result_quiet(self, request: Request) -> bool:
        """Whether nothing would be asked about what this tool call returns."""
        found = self._memo.get(("tool_result", request.agent, request.tool))
        if found.__class__ is Chain:
            return found.is_quiet
        return self.is_quiet(request.returning(None))

    def explain(
        self, stage: Stage, name: str | None, agent: str | None = None
    ) -> tuple[ChainLink, ...]:
        """Return what a request of this stage, agent and name would meet, in order."""
        asked = {"stage": stage, "agent": agent}
        if stage in _NAME_OF:
            asked[_NAME_OF[stage]] = name
        applies = self.compiled.applies
        request = Request(**asked)  # type: ignore[arg-type]
        statuses = [
            Status.YES if a is None else replace(a, roles=None, tenants=None).status(request)
            for a in applies
        ]
        chain = self.compiled.chain(stage, name, statuses)
        return tuple(_links(chain))

    def _known(self, request: Request) -> Chain | None:
        """Return the chain of a request; None for one that has none, however odd it is."""
        try:
            return self._chain(request)
        except Exception:  # noqa: BLE001 - an invalid request is denied when it is decided
            return None

    def _chain(self, request: Request) -> Chain | None:
        stage = request.stage
        key_of = _KEYS.get(stage)
        if key_of is None or not _has_form(request, stage):
            return None
        found = self._memo.get(key_of(request))
        if found is None:
            found = self._find(request)
        if found.__class__ is _Fork:
            return self._pick(found, request)
        return found  # type: ignore[return-value]

    def _find(self, request: Request) -> Chain | _Fork | None:
        if not _is_told(request):
            return None
        found: Chain | _Fork
        agent_only = Request(stage=request.stage, agent=request.agent)
        possible = [
            applies
            for applies in self.compiled.applies
            if applies is not None
            and applies.by_principal
            and replace(applies, roles=None, tenants=None).status(agent_only) is not Status.NO
        ]
        found = _Fork() if possible else self._shared(request)
        if len(self._memo) >= _MEMO:
            self._memo.clear()
        self._memo[_KEYS[request.stage](request)] = found
        return found

    def _pick(self, fork: _Fork, request: Request) -> Chain:
        statuses = self._statuses(request)
        chain = fork.chains.get(statuses)
        if chain is None:
            chain = fork.chains[statuses] = self._shared(request)
        return chain

    def _statuses(self, request: Request) -> tuple[Status, ...]:
        return tuple(
            Status.YES if applies is None else applies.status(request)
            for applies in self.compiled.applies
        )

    def _shared(self, request: Request) -> Chain:
        """Return the chain that all names share which the same entries and rules match."""
        stage, name = request.stage, _name(request)
        statuses = self._statuses(request)
        key = (stage, statuses, self.compiled.signature(stage, name))
        chain = self._chains.get(key)
        if chain is None:
            if len(self._chains) >= _MEMO:
                self._chains.clear()
            chain = self._chains[key] = self.compiled.chain(stage, name, statuses)
        return chain

    def _redacted(self, chain: Chain, request: Request, facts: Facts, outcome: Outcome) -> Decision:
        """Apply the redactions and decide once more; anything stricter denies."""
        marks = [
            TextRedaction(r.pointer, r.start, r.end, r.replacement) for r in outcome.redactions
        ]
        try:
            changed = _with_redactions(request, marks)
        except CheckError:
            return Decision(request, _denied(outcome, [], "redaction.cannot_tell"), self._context)
        facts = _still_told(chain, request, changed, facts)
        again = chain.outcome(changed, facts)
        if facts.halts != () or facts.ran is not False:
            again = _interrupted(again, changed, facts)
        worse = _stricter(outcome, again)
        if worse or again.redactions:
            return Decision(request, _denied(outcome, worse, "redaction.stricter"), self._context)
        # What was asked of people about the request as it came is owed for the one that runs.
        owed = [o for o in outcome.obligations if isinstance(o, ApprovalNeeded | ApprovalUse)]
        obligations = sorted({*again.obligations, *owed}, key=obligation_order)
        settled = replace(outcome, obligations=tuple(obligations))
        return Decision(request, settled, self._context, changed)


def _failed(error: Exception) -> Outcome:
    text = f"The request could not be decided ({type(error).__name__})."
    return Outcome("deny", "deny", (Reason("engine", "deny", "engine.failed", text),))


def _with_redactions(request: Request, marks: list[TextRedaction]) -> Request:
    part = TEXT_OF[request.stage]
    if part == "args":
        args = redact(request.args, marks)
        return replace(request, args=args if isinstance(args, dict) else None)
    if part == "result":
        return replace(request, result=redact(request.result, marks))
    return replace(request, text=redact(request.text, marks))


def _name(request: Request) -> str | None:
    name: str | None = getattr(request, _NAME_OF.get(request.stage, ""), None)
    return name


def _has_form(request: Request, stage: Stage) -> bool:
    """Whether a request is of the documented form, as far as its name does not tell."""
    session, call_id, own = request.session, request.call_id, request.id
    if (
        (session is not None and session.__class__ is not str)
        or (call_id is not None and call_id.__class__ is not str)
        or (own is not None and own.__class__ is not str)
    ):
        return False
    if stage in _CALLS:
        return request.args.__class__ is dict
    return stage not in _SAID or request.text is not None


def _is_told(request: Request) -> bool:
    """Whether agent and name are those of a request."""
    name = _name(request)
    if not name and request.stage not in ("input", "output", "model_response"):
        return False
    return all(value is None or isinstance(value, str) for value in (name, request.agent))


def _interrupted(outcome: Outcome, request: Request, facts: Facts) -> Outcome:
    """Add what operators and earlier calls say."""
    said: list[Reason] = []
    if facts.halts is None:
        said.append(
            Reason("halt", "deny", "halt.cannot_tell", "It cannot be told whether this is halted.")
        )
    for halt in facts.halts or ():
        if _halts(halt, request) and not _is_over(halt, facts):
            text = "An operator halted this."
            said.append(Reason(f"halt/{halt.id}", "deny", "halt", text))
    if facts.ran is not False and request.stage == "tool_call" and request.call_id is not None:
        code = "call.repeated" if facts.ran else "call.cannot_tell"
        text = "A call with this id ran already."
        if facts.ran is None:
            text = "It cannot be told whether a call with this id ran already."
        said.append(Reason("call", "deny", code, text))
    if not said:
        return outcome
    return Outcome("deny", "deny", ordered([*outcome.reasons, *said]))


def _halts(halt: Halt, request: Request) -> bool:
    if halt.scope == "all":
        return True
    if halt.scope == "tool":
        return request.stage == "tool_call" and halt.name == request.tool
    named = request.agent if halt.scope == "agent" else request.session
    # Whoever does not say who it is may be the one that was halted.
    return named is None or halt.name == named


def _is_over(halt: Halt, facts: Facts) -> bool:
    if halt.until is None or facts.now is None:
        return False
    try:
        return facts.now >= halt.until
    except TypeError:
        return False


def _still_told(chain: Chain, request: Request, changed: Request, facts: Facts) -> Facts:
    """Return the facts without the answers that were looked up by what was redacted."""
    stale = {
        lookup.name
        for lookup in chain.lookups
        if lookup.need(request).arguments != lookup.need(changed).arguments
    }
    if not stale:
        return facts
    kept = {name: answer for name, answer in facts.answers.items() if name not in stale}
    return replace(facts, answers=kept)


def _stricter(outcome: Outcome, again: Outcome) -> list[Reason]:
    """Return the reasons that restrict a request more once it is redacted."""
    before = {r.rule: RANK[r.effect] for r in reversed(outcome.reasons) if r.enforced}
    return [r for r in again.reasons if r.enforced and RANK[r.effect] > before.get(r.rule, 0)]


def _denied(outcome: Outcome, worse: list[Reason], code: str) -> Outcome:
    """Deny a redacted request that would be treated more strictly."""
    effect: Effect = "deny"
    blamed = worse or [r for r in outcome.reasons if r.effect == "redact" and r.enforced]
    said = [
        Reason(
            reason.rule,
            "deny",
            code,
            f'What was redacted by the rule "{reason.rule}" is not enough.'
            if not worse or reason.effect == "redact"
            else reason.message,
            reason.location,
        )
        for reason in blamed
    ]
    would = strictest([outcome.would, effect])
    return Outcome(effect, would, ordered([*outcome.reasons, *said]))


def _links(chain: Chain) -> list[ChainLink]:
    links = [
        ChainLink(
            r.rule,
            r.message or CODES[r.code],
            r.effect,
            r.location,
            r.enforced,
        )
        for r in chain.reasons
    ]
    links.extend(
        ChainLink(
            gate.name,
            approval_text(gate.approval),
            "require_approval",
            gate.reason.location,
            gate.reason.enforced,
        )
        for gate in chain.gates
    )
    for constraint in chain.constraints:
        for name in constraint.schemas:
            rule = f"{constraint.rule}/args/{name}"
            links.append(
                ChainLink(
                    rule,
                    f'the argument "{name}" must fit its schema',
                    constraint.effect,
                    constraint.place((name,)),
                    constraint.enforced,
                )
            )
        links.append(
            ChainLink(
                f"{constraint.rule}/args",
                "no other argument is accepted",
                constraint.effect,
                constraint.place(()),
                constraint.enforced,
            )
        )
    for found in chain.rules:
        parts = []
        if found.condition is not None:
            parts.append(f"when {found.condition.text}")
        if found.check is not None:
            parts.append(f"check {found.check.kind}")
        if found.constraint is not None:
            parts.append(f"when these arguments do not fit: {', '.join(found.constraint.schemas)}")
        links.append(
            ChainLink(
                found.name,
                " and ".join(parts) or "always",
                found.effect,
                found.location,
                found.enforced,
            )
        )
    links.extend(
        ChainLink(
            limit.name,
            f"at most {limit.max:g} {limit.unit}{per(limit.per)}, by {', '.join(limit.by)}",
            "deny",
            limit.location,
            limit.enforced,
        )
        for limit in chain.limits
    )
    return links
