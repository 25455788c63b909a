"""The rules of a policy set before and after a mutant, and what they cover."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy_engine.compiler import Compiled, CompiledRule
from policy_engine.compiler.names import globs_overlap, is_glob, matches_glob
from policy_engine.lint.proof.formula import Term
from policy_engine.lint.proof.schema import at, values_of
from policy_engine.lint.proof.values import Values
from policy_engine.policy import ToolBlock, TopRule
from policy_engine.testing.mutation.mutant import Aim, Mutant

__all__ = ["Change", "Pair", "covers", "denies", "granted", "reads"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A rule, before and after."""

    old: CompiledRule
    new: CompiledRule
    covers: frozenset[object]
    """The granted tools that it covers; for another stage, a mark of its own."""


@dataclass(frozen=True, slots=True)
class Change:
    """A mutant that aims at something, with the policy set before and after."""

    mutant: Mutant
    aim: Aim
    base: Compiled
    changed: Compiled

    def granted(self) -> list[tuple[str, ToolBlock]] | None:
        """Return what entries grant; None where a policy grants what none names."""
        return granted(self.base)

    def pairs(self) -> Iterator[Pair]:
        """Go through the rules of the policy, with the tools they cover."""
        old, new = self.base.parts[self.mutant.index], self.changed.parts[self.mutant.index]
        known = self.granted()
        rules = zip(old.loaded.policy.rules, old.top_rules, new.top_rules, strict=True)
        for number, (rule, mine, its) in enumerate(rules):
            found: set[object] = set()
            if known is None or rule.stage != "tool_call":
                found.add(("rules", number))
            else:
                found.update(name for name, _ in known if covers(rule, name))
                found.update(
                    (name, rule.tools, rule.except_)
                    for name, _ in known
                    if is_glob(name) and any(globs_overlap(g, name) for g in rule.tools or ())
                )
                found = {one for one in found if not isinstance(one, str) or not is_glob(one)}
            yield Pair(mine, its, frozenset(found))
        for (section, name), rules_of in old.entry_rules.items():
            place = name if section == "tools" and not is_glob(name) else (section, name)
            for mine, its in zip(rules_of, new.entry_rules[section, name], strict=True):
                yield Pair(mine, its, frozenset({place}))
        for stage, texts in old.text_rules.items():
            for mine, its in zip(texts, new.text_rules[stage], strict=True):
                yield Pair(mine, its, frozenset({("text", stage)}))

    def declared(self, path: Term, tools: frozenset[object]) -> Values | None:
        """Return what a value may be where it can be read, and the call is not denied for it.

        Args:
            path: Where it stands.
            tools: What calls are of: an argument is known where that is one tool.
        """
        policy = self.changed.parts[self.mutant.index].loaded.policy
        match path:
            case ("args", name, *rest):
                (tool,) = tools if len(tools) == 1 else (None,)
                entry = (policy.tools or {}).get(tool) if isinstance(tool, str) else None
                args = None if entry is None or policy.mode == "observe" else entry.args
                schema = (args or {}).get(name)
            case ("context", name, *rest):
                schema = policy.context.get(name)
            case ("principal", "attrs", name, *rest):
                schema = policy.attrs.get(name)
            case ("facts", name, *rest):
                schema = policy.facts[name].schema_ if name in policy.facts else None
            case _:
                return None
        below = None if schema is None else at(schema, rest)
        return None if below is None else values_of(below)


def granted(compiled: Compiled) -> list[tuple[str, ToolBlock]] | None:
    """Return what the entries of a policy set grant; None where one grants what none names."""
    found: list[tuple[str, ToolBlock]] = []
    for parts in compiled.parts:
        policy = parts.loaded.policy
        if policy.tools and policy.default == "allow":
            return None
        found.extend(
            (name, entry) for name, entry in (policy.tools or {}).items() if entry.effect != "deny"
        )
    return found


def covers(rule: TopRule, tool: str) -> bool:
    """Whether a rule across tools covers one."""
    return any(matches_glob(glob, tool) for glob in rule.tools or ()) and not any(
        matches_glob(glob, tool) for glob in rule.except_ or ()
    )


def denies(rule: CompiledRule) -> bool:
    """Whether a rule denies wherever its condition is not false."""
    return (
        rule.enforced
        and rule.effect == "deny"
        and rule.condition is not None
        and rule.check is None
        and rule.constraint is None
    )


def reads(rule: CompiledRule, root: Term) -> bool:
    """Whether the condition of a rule reads a value, what it is in, or what is in it."""
    if rule.condition is None:
        return False
    return any(path[: len(root)] == root[: len(path)] for path in rule.condition.reads)
