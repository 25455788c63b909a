"""Every rule of a policy, where it stands and what it is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from policy_engine.errors import Fault
from policy_engine.policy import LoadedPolicy, Policy, Rule, ToolRule, TopRule
from policy_engine.source import Path

__all__ = ["PlacedRule", "fault", "rules_of"]


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A rule and its place."""

    rule: Rule
    path: Path
    about: Literal["text", "call", "handoff"]
    entry_args: Mapping[str, Any] | None = None
    """What the entry declares, for a rule in one."""

    @property
    def top(self) -> TopRule | None:
        """The rule, if it is one across tools."""
        return self.rule if isinstance(self.rule, TopRule) else None

    @property
    def tool(self) -> ToolRule | None:
        """The rule, if it may speak about arguments."""
        return self.rule if isinstance(self.rule, ToolRule) else None


def rules_of(policy: Policy) -> Iterator[PlacedRule]:
    """Go through the rules of a policy in the order of its sections."""
    for i, text_rule in enumerate(policy.input):
        yield PlacedRule(text_rule, ("input", i), "text")
    for i, text_rule in enumerate(policy.output):
        yield PlacedRule(text_rule, ("output", i), "text")
    for name, entry in (policy.tools or {}).items():
        for i, tool_rule in enumerate(entry.rules):
            yield PlacedRule(tool_rule, ("tools", name, "rules", i), "call", entry.args)
        for i, text_rule in enumerate(entry.result):
            yield PlacedRule(text_rule, ("tools", name, "result", i), "text", entry.args)
    for i, top_rule in enumerate(policy.rules):
        about: Literal["call", "handoff"] = "handoff" if top_rule.stage == "handoff" else "call"
        yield PlacedRule(top_rule, ("rules", i), about)
    for name, named in (policy.handoffs or {}).items():
        for i, rule in enumerate(named.rules):
            yield PlacedRule(rule, ("handoffs", name, "rules", i), "handoff")


def fault(loaded: LoadedPolicy, path: Path, code: str, message: str, hint: str | None) -> Fault:
    """Make a fault of a value."""
    return loaded.document.fault(path, code, message, hint=hint)
