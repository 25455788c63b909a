"""What the entries of the policies that apply say about one name, before anything dynamic."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from policy_engine.compiler import message
from policy_engine.compiler.parts import Parts
from policy_engine.decision import Effect, Reason, strictest
from policy_engine.policy import Approval, LoadedPolicy

__all__ = ["NO_POLICY", "Applied", "Gate", "Grant", "Status", "grant"]

NO_POLICY: Final = "no-policy"
"""What is named where no policy speaks."""


class Status(Enum):
    """Whether a policy applies to a request."""

    NO = 0
    UNSURE = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Gate:
    """An entry that asks for an approval."""

    name: str
    approval: Approval
    reason: Reason


@dataclass(frozen=True, slots=True)
class Applied:
    """A policy that applies, or may."""

    parts: Parts
    status: Status

    @property
    def loaded(self) -> LoadedPolicy:
        """The policy and where it stands."""
        return self.parts.loaded

    @property
    def id(self) -> str:
        """The policy's id."""
        return self.loaded.policy.policy

    @property
    def observed(self) -> bool:
        """Whether the policy only observes."""
        return self.loaded.policy.mode == "observe"

    def lists(self, section: str) -> bool:
        """Whether the policy has a section."""
        return getattr(self.loaded.policy, section) is not None

    def entries(self, section: str, name: str | None) -> list[tuple[str, Any]]:
        """Return the entries of a section that match a name."""
        return self.parts.entries(section, name)


@dataclass(slots=True)
class Grant:
    """What the entries say."""

    reasons: list[Reason] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)

    @property
    def effect(self) -> Effect:
        """The strictest effect, the gates left out."""
        return strictest(reason.effect for reason in self.reasons)


def grant(
    view: Sequence[Applied], section: str | None, name: str | None, *, gated: bool, enforced: bool
) -> Grant:
    """Say what these policies, taken as enforced, grant and deny.

    `section` is None at the stages of text, where there is nothing to name. `gated` tells
    whether an approval can be asked for at this stage.
    """
    found = Grant()
    sure = [applied for applied in view if applied.status is Status.YES]
    unsure = [applied for applied in view if applied.status is Status.UNSURE]
    naming: dict[str, Applied] = {}
    for applied in view if section else ():
        for key, entry in applied.entries(section or "", name):
            naming[applied.id] = applied
            _speak(found, applied, section or "", key, entry, gated=gated, enforced=enforced)
    if not sure:
        found.reasons.extend(
            _untold(unsure, enforced=enforced) if unsure else [_no_policy(enforced=enforced)]
        )
    elif section and not any(a.status is Status.YES for a in naming.values()):
        found.reasons.extend(_defaults(sure, section, enforced=enforced))
        # A policy that may apply restricts by its default, unless it names what is asked for.
        found.reasons.extend(
            _default(a, section, enforced=enforced)
            for a in unsure
            if a.id not in naming and a.lists(section) and a.loaded.policy.default == "deny"
        )
        if found.effect == "deny":
            found.reasons.extend(_untold(naming.values(), enforced=enforced))
    found.reasons = list(dict.fromkeys(found.reasons))
    return found


def _speak(
    found: Grant,
    applied: Applied,
    section: str,
    key: str,
    entry: Any,
    *,
    gated: bool,
    enforced: bool,
) -> None:
    policy = applied.loaded.policy
    effect: Effect = entry.effect
    if effect == "require_approval" and not gated:
        effect = "allow"
    if effect == "allow" and applied.status is not Status.YES:
        return
    rule = f"{policy.policy}/{section}/{message.escaped(key)}"
    text = ""
    if effect == "deny":
        text = (
            entry.message
            or {
                "tools": "This tool is not permitted.",
                "handoffs": "This handoff is not permitted.",
                "models": "This model is not permitted.",
            }[section]
        )
    elif effect == "require_approval":
        text = entry.message or message.approval(entry.approval)
    reason = Reason(
        rule=rule,
        effect=effect,
        code=f"entry.{effect}",
        message=text,
        location=applied.loaded.document.key_at((section, key)),
        enforced=enforced,
    )
    if effect == "require_approval":
        found.gates.append(Gate(rule, entry.approval, reason))
    else:
        found.reasons.append(reason)


def _defaults(sure: Iterable[Applied], section: str, *, enforced: bool) -> list[Reason]:
    having = [a for a in sure if a.lists(section)]
    if not having:
        if section == "models":
            return []
        return [
            Reason(
                rule=NO_POLICY,
                effect="deny",
                code="no_section",
                message=f"No policy that applies lists any {section}.",
                enforced=enforced,
            )
        ]
    default = strictest(a.loaded.policy.default for a in having)
    return [
        _default(a, section, enforced=enforced)
        for a in having
        if a.loaded.policy.default == default
    ]


def _default(applied: Applied, section: str, *, enforced: bool) -> Reason:
    policy = applied.loaded.policy
    noun = {"tools": "tool", "handoffs": "handoff", "models": "model"}[section]
    document = applied.loaded.document
    stated = "default" in policy.model_fields_set
    return Reason(
        rule=f"{policy.policy}/default",
        effect=policy.default,
        code=f"default.{policy.default}",
        message=f"This {noun} is not permitted." if policy.default == "deny" else "",
        location=document.key_at(("default",) if stated else (section,)),
        enforced=enforced,
    )


def _untold(unsure: Iterable[Applied], *, enforced: bool) -> list[Reason]:
    return [
        Reason(
            rule=applied.loaded.policy.policy,
            effect="deny",
            code="policy.cannot_tell",
            message="It cannot be told whether the policy "
            f'"{applied.loaded.policy.policy}" applies: the request lacks {_needed(applied)}.',
            location=applied.loaded.document.key_at(("applies_to",)),
            enforced=enforced,
        )
        for applied in unsure
    ]


def _needed(applied: Applied) -> str:
    applies = applied.loaded.policy.applies_to
    named = [
        what
        for what, value in (
            ("an agent", applies and applies.agents),
            ("the principal's roles", applies and applies.roles),
            ("the principal's tenant", applies and applies.tenants),
        )
        if value
    ]
    return " or ".join(named)


def _no_policy(*, enforced: bool) -> Reason:
    return Reason(
        rule=NO_POLICY,
        effect="deny",
        code="no_policy",
        message="No policy applies to this request.",
        enforced=enforced,
    )
