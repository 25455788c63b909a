"""Compile a policy set, and build the chain of a name when it is first asked for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from policy_engine.compiler.applies import Applies, compile_applies
from policy_engine.compiler.chain import Chain, Gathered, ModelChain
from policy_engine.compiler.grant import NO_POLICY, Applied, Grant, Status, grant
from policy_engine.compiler.lookup import FactLookup
from policy_engine.compiler.meaning import faults as meaning_faults
from policy_engine.compiler.names import is_glob, matches_glob
from policy_engine.compiler.parts import Parts, compile_parts
from policy_engine.decision import Reason, Stage
from policy_engine.errors import CheckError, Fault, PolicyError
from policy_engine.policy import Limit, PolicySet, ToolBlock
from policy_engine.text import Content, Patterns, Scanner

__all__ = ["Compiled", "compile_set"]

SECTION: Final[Mapping[Stage, str]] = {
    "tool_call": "tools",
    "tool_result": "tools",
    "handoff": "handoffs",
    "model_request": "models",
}
_MOST_HINTS: Final = 500


@dataclass(frozen=True, slots=True)
class Compiled:
    """A policy set that can decide."""

    policies: PolicySet
    scanner: Scanner
    parts: tuple[Parts, ...]
    applies: tuple[Applies | None, ...]
    """Whom each policy is for; None for everybody."""
    declared: frozenset[str] = field(default_factory=frozenset)
    """Names of the context that any policy declares."""

    def signature(self, stage: Stage, name: str | None) -> tuple[object, ...]:
        """Return what tells names with different chains apart.

        A model can invent names without end; those that the same entries, rules and limits
        match share one chain.
        """
        if name is None or stage not in SECTION:
            return ()
        found: list[object] = []
        for index, parts in enumerate(self.parts):
            found.extend((index, key) for key, _ in parts.entries(SECTION[stage], name))
            if stage == "tool_call":
                found.extend((index, i) for i in parts.covering(name))
                found.extend((index, -1 - i) for i in parts.counting(name))
        return tuple(found)

    def chain(self, stage: Stage, name: str | None, statuses: Sequence[Status]) -> Chain:
        """Build the chain of a name for policies that apply so far."""
        section = SECTION.get(stage)
        present = [
            (Applied(parts, status), parts)
            for parts, status in zip(self.parts, statuses, strict=True)
            if status is not Status.NO
        ]
        everything = [applied for applied, _ in present]
        enforced = [applied for applied in everything if not applied.observed]
        gated = stage in ("tool_call", "handoff")
        would = grant(everything, section, name, gated=gated, enforced=False)
        if enforced or not everything:
            real = grant(enforced, section, name, gated=gated, enforced=True)
        else:
            real = grant([], section, name, gated=gated, enforced=True)
            if any(applied.status is Status.YES for applied in everything):
                real.reasons = [
                    Reason(
                        rule=applied.loaded.policy.policy,
                        effect="allow",
                        code="observed",
                        message="",
                        location=applied.loaded.document.key_at(("mode",)),
                    )
                    for applied in everything
                ]
        watching = {applied.loaded.policy.policy for applied in everything if applied.observed}
        gathered = Gathered(lookups=self.lookups(stage))
        for applied, parts in present:
            _gather(gathered, applied, parts, stage, name)
        make = partial(
            Chain,
            stage,
            effect=real.effect,
            would=would.effect,
            reasons=[
                *real.reasons,
                *(r for r in would.reasons if r.rule.split("/", 1)[0] in watching),
                *(r for r in would.reasons if watching and not enforced and r.rule == NO_POLICY),
            ],
            gates=[
                *real.gates,
                *(gate for gate in would.gates if gate.name.split("/", 1)[0] in watching),
            ],
            scanner=self.scanner,
            known=self._known(section, real, enforced),
        )
        if stage == "model_request" and any(rule.is_about_text for rule in gathered.rules):
            return ModelChain(make(gathered=gathered), make(gathered=gathered.without_text()))
        return make(gathered=gathered)

    def _known(
        self, section: str | None, real: Grant, applied: Sequence[Applied]
    ) -> tuple[str, ...]:
        """Return the exact names that these policies grant, where the asked one is unknown."""
        if section is None or not any(r.code == "default.deny" for r in real.reasons):
            return ()
        names = {
            key
            for one in applied
            for key, entry in (getattr(one.loaded.policy, section) or {}).items()
            if entry.effect != "deny" and not is_glob(key) and one.status is Status.YES
        }
        # A model that invents names must not make each denial cost a search among thousands.
        return tuple(sorted(names)) if len(names) <= _MOST_HINTS else ()

    def lookups(self, stage: Stage) -> dict[str, FactLookup]:
        """Return the facts that a stage can look up."""
        found: dict[str, FactLookup] = {}
        for parts in self.parts:
            for lookup in parts.lookups.get(stage, ()):
                known = found.setdefault(lookup.name, lookup)
                if lookup.timeout < known.timeout:
                    found[lookup.name] = lookup
        return found


def _gather(
    gathered: Gathered, applied: Applied, parts: Parts, stage: Stage, name: str | None
) -> None:
    """Gather what a policy may still say of a name."""
    policy = parts.loaded.policy
    gathered.rules.extend(parts.text_rules.get(stage, ()))
    section = SECTION.get(stage)
    if section is None:
        return
    for key, entry in applied.entries(section, name):
        gathered.is_named = True
        inner = "result" if stage == "tool_result" else section
        gathered.rules.extend(parts.entry_rules.get((inner, key), ()))
        if section == "tools":
            _gather_entry(gathered, parts, stage, key, entry)
    if stage == "tool_call" and name is not None:
        gathered.rules.extend(parts.top_rules[i] for i in parts.covering(name))
    if stage == "handoff":
        both = zip(parts.top_rules, policy.rules, strict=True)
        gathered.rules.extend(compiled for compiled, rule in both if rule.stage == "handoff")
    gathered.limits.extend(
        compiled
        for compiled, limit in zip(parts.limits, policy.limits, strict=True)
        if _counts(limit, stage, name)
    )


def _gather_entry(
    gathered: Gathered, parts: Parts, stage: Stage, key: str, entry: ToolBlock
) -> None:
    if stage == "tool_call" and key in parts.constraints:
        gathered.constraints.append(parts.constraints[key])
    if parts.loaded.policy.mode == "observe":
        return
    gathered.labels.update(entry.labels)
    if entry.timeout is not None and stage == "tool_call":
        gathered.timeouts.append(entry.timeout)


def _counts(limit: Limit, stage: Stage, name: str | None) -> bool:
    tools = limit.tools
    if tools is not None:
        return (
            stage == "tool_call"
            and name is not None
            and any(matches_glob(glob, name) for glob in tools)
        )
    return stage == (limit.stage or "model_request")


def _endless(parts: Iterable[Parts], scanner: Scanner) -> Iterator[Fault]:
    """Find redactions whose replacement is redacted again: each would be denied."""
    for part in parts:
        for rule in part.rules():
            if rule.effect != "redact" or rule.check is None:
                continue
            replacement = rule.replacement or f"<{rule.check.entity}>"
            try:
                again = rule.check.breaks(Content(replacement, scanner))
            except CheckError:
                continue
            if again is not None:
                line = part.loaded.document.line(rule.location.line)
                message = (
                    f'the rule redacts its own replacement "{replacement}", so it always denies'
                )
                hint = "give another replacement, which the check lets pass"
                yield Fault(rule.location, "PE020", message, hint, line)


def compile_set(policies: PolicySet, *, complete: bool = True, warm: bool = True) -> Compiled:
    """Compile policies that decide together.

    Args:
        policies: The set.
        complete: False where a part of the set could not be read, so that a name which
            stands nowhere is no fault.
        warm: Build the fast scanner now rather than when it is first told to.

    Raises:
        PolicyError: With every fault of every policy.
    """
    faults = list(meaning_faults(policies.policies, complete=complete))
    patterns = Patterns()
    parts = compile_parts(policies, patterns, faults, complete=complete)
    if faults:
        raise PolicyError(faults)
    scanner = patterns.compile(warm=warm)
    faults.extend(_endless(parts, scanner))
    if faults:
        raise PolicyError(faults)
    return Compiled(
        policies=policies,
        scanner=scanner,
        parts=tuple(parts),
        applies=tuple(compile_applies(loaded.policy.applies_to) for loaded in policies.policies),
        declared=frozenset(name for loaded in policies.policies for name in loaded.policy.context),
    )
