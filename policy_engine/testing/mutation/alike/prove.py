"""Proves of a mutant that it decides like the policy: there are no requests to tell them apart.

Two ways lead there. What is changed says the same as before of every request; or whatever it says
otherwise is denied by something else, before and after. Entries grant and all else restricts, so
a call that no entry lets through is denied, whatever a rule says of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.compiler import Compiled, CompiledRule
from policy_engine.compiler.names import globs_overlap, is_glob, matches_glob
from policy_engine.lint.proof.formula import Term, formula
from policy_engine.policy import Rule, ToolBlock, TopRule
from policy_engine.testing.mutation.alike.kinds import Known, outcomes
from policy_engine.testing.mutation.alike.values import (
    fits,
    fits_not,
    is_never,
    known_by,
    never_both,
    where_present,
)
from policy_engine.testing.mutation.mutant import Aim, Mutant

__all__ = ["prove"]

_ROOTS: Final[Mapping[str, Term]] = {
    "facts": ("facts",),
    "attrs": ("principal", "attrs"),
    "context": ("context",),
}


def prove(mutant: Mutant, base: Compiled, changed: Compiled) -> str | None:
    """Say why a mutant decides every request like the policy; None where that is not proved.

    Args:
        mutant: What was changed.
        base: The policy set.
        changed: The mutant of it.
    """
    aim = mutant.aim
    if aim is None:
        return _of_unread(mutant, base, changed)
    proof = _Proof(mutant, aim, base, changed)
    match mutant.unit:
        case ("tools", str(name), "args" | "types"):
            return proof.of_entry(name)
        case ("declared",):
            return proof.of_declared()
        case ("rules", int(i)) if aim.place == "tool":
            return proof.of_cover(base.parts[mutant.index].loaded.policy.rules[i], i)
        case ("rules", int(i)) if aim.place == "args":
            return proof.of_constraint(base.parts[mutant.index].loaded.policy.rules[i])
    return None


def _of_unread(mutant: Mutant, base: Compiled, changed: Compiled) -> str | None:
    """Prove it of a rule over texts that lets pass what cannot be read."""
    match mutant.unit:
        case ("input" | "output" as section, int(number)):
            policy = base.parts[mutant.index].loaded.policy
            rules = getattr(policy, str(section))
            its = getattr(changed.parts[mutant.index].loaded.policy, str(section))
            if len(its) < len(rules):
                return None
            if its[number] != rules[number].model_copy(update={"unread": "allow"}):
                return None
            for other in (*rules[:number], *rules[number + 1 :]):
                if _stops_unread(other):
                    return f'"{policy.policy}/{other.id}" denies what cannot be read'
    return None


def _stops_unread(rule: Rule) -> bool:
    """Whether a rule over texts denies everything that it cannot read.

    One that redacts does so too: what it has redacted is decided once more.
    """
    check = rule.check
    return (
        rule.effect in {"deny", "redact"}
        and rule.mode != "observe"
        and rule.when is None
        and rule.unread == "deny"
        and check is not None
        and any(getattr(check, kind) is not None for kind in ("pattern", "terms", "size"))
    )


@dataclass(frozen=True, slots=True)
class _Pair:
    """A rule, before and after."""

    old: CompiledRule
    new: CompiledRule
    covers: frozenset[object]
    """The granted tools that it covers; for another stage, a mark of its own."""


@dataclass(frozen=True, slots=True)
class _Proof:
    mutant: Mutant
    aim: Aim
    base: Compiled
    changed: Compiled

    def of_entry(self, tool: str) -> str | None:
        """Prove it of an argument that takes other values."""
        before, after, term = self.aim.before, self.aim.after, ("args", self.aim.name)
        if _is_optional(before) != _is_optional(after) or not is_never(term, before, after):
            return None
        retyped = self.mutant.unit[2] == "types"
        if not retyped and is_never(term, after, before):
            return "it takes the same values"
        known = known_by(term, before, after)
        if retyped and (known is None or self._is_counted()):
            return None
        only = fits(term, after), fits_not(term, before)
        for pair in self._denying(tool):
            tree = pair.new.condition.tree if pair.new.condition is not None else None
            if tree is None:
                continue
            if (known is not None and False not in outcomes(tree, known)) or (
                not retyped and never_both(*only, where_present(formula(tree, holds=False), term))
            ):
                return f'"{pair.new.name}" denies what else it takes'
        return None

    def _is_counted(self) -> bool:
        """Whether a limit reads the argument."""
        read = f"args.{self.aim.name}"
        return any(
            read in (limit.of, *limit.by)
            for parts in self.base.parts
            for limit in parts.loaded.policy.limits
        )

    def _denying(self, tool: str) -> Iterator[_Pair]:
        """Yield the rules of the same policy that deny calls of a tool by a condition alone."""
        for pair in self._pairs():
            if tool in pair.covers and _denies(pair.old) and _denies(pair.new):
                yield pair

    def of_declared(self) -> str | None:
        """Prove it of a fact, an attribute or a name of the context that may be something else."""
        root = (*_ROOTS[self.aim.place], self.aim.name)
        pairs = [pair for pair in self._pairs() if _reads(pair.old, root)]
        if not pairs:
            return "no condition reads it"
        known = known_by(root, self.aim.before, self.aim.after)
        if known is None:
            return None
        # Before, a condition cannot be told whose value does not fit its schema: the rule speaks.
        speaking = [pair for pair in pairs if self._speaks(pair, known)]
        bars = [pair for pair in speaking if _denies(pair.old) and _denies(pair.new)]
        masked = False
        for pair in pairs:
            if pair not in speaking or "redact" in (pair.old.effect, pair.new.effect):
                if not any(pair.covers <= bar.covers for bar in bars):
                    return None
                masked = True
        if masked:
            names = ", ".join(sorted({f'"{bar.old.name}"' for bar in bars}))
            return f"{names} denies all that is told otherwise"
        return "each rule that reads it speaks of such a value as before"

    def _speaks(self, pair: _Pair, known: Known) -> bool:
        """Whether a rule speaks, before and after, of values that only the mutant takes."""
        guarded = any(
            guard.place == self.aim.place and guard.name == self.aim.name
            for guard in pair.old.guards
        )
        condition = pair.new.condition
        return (
            guarded
            and condition is not None
            and pair.new.check is None
            and pair.old.check is None
            and False not in outcomes(condition.tree, known)
        )

    def of_cover(self, rule: TopRule, number: int) -> str | None:
        """Prove it of a rule that covers other names."""
        changed = self.changed.parts[self.mutant.index].loaded.policy.rules[number]
        granted = self._granted()
        if granted is None or rule.stage != "tool_call":
            return None
        for name, _ in granted:
            if is_glob(name) and any(globs_overlap(g, name) for g in rule.tools or ()):
                return None
            if _covers(rule, name) is not _covers(changed, name):
                return None
        return "no entry grants a tool that it covers otherwise"

    def of_constraint(self, rule: TopRule) -> str | None:
        """Prove it of a constraint across tools."""
        granted = self._granted()
        if granted is None or rule.args is None or rule.stage != "tool_call":
            return None
        for name, entry in granted:
            overlaps = any(globs_overlap(glob, name) for glob in rule.tools or ())
            left_out = not is_glob(name) and not _covers(rule, name)
            if overlaps and not left_out and not self._is_refused(entry):
                return None
        return "each entry that grants such a call refuses what is told otherwise"

    def _is_refused(self, entry: ToolBlock) -> bool:
        """Whether an entry refuses all values of which the constraint says something else."""
        before, after, term = self.aim.before, self.aim.after, ("args", self.aim.name)
        if entry.args is None:
            return False
        schema = entry.args.get(self.aim.name)
        if schema is None:
            # Then the argument is never there, which matters only where it must be.
            return after != {} and _is_optional(before) == _is_optional(after)
        if _is_optional(schema):
            return False
        taken = fits(term, schema)
        if _is_optional(before) != _is_optional(after) and not never_both(
            taken, fits(term, {"type": "null"})
        ):
            return False
        more = fits(term, after), fits_not(term, before)
        fewer = fits(term, before), fits_not(term, after)
        return never_both(taken, *more) and never_both(taken, *fewer)

    def _granted(self) -> list[tuple[str, ToolBlock]] | None:
        """Return what entries grant; None where a policy grants what none names."""
        found: list[tuple[str, ToolBlock]] = []
        for parts in self.base.parts:
            policy = parts.loaded.policy
            if policy.tools and policy.default == "allow":
                return None
            found.extend(
                (name, entry)
                for name, entry in (policy.tools or {}).items()
                if entry.effect != "deny"
            )
        return found

    def _pairs(self) -> Iterator[_Pair]:
        """Go through the rules of the policy, before and after, with the tools they cover."""
        old, new = self.base.parts[self.mutant.index], self.changed.parts[self.mutant.index]
        granted = self._granted()
        rules = zip(old.loaded.policy.rules, old.top_rules, new.top_rules, strict=True)
        for number, (rule, mine, its) in enumerate(rules):
            covers: set[object] = set()
            if granted is None or rule.stage != "tool_call":
                covers.add(("rules", number))
            else:
                covers.update(name for name, _ in granted if _covers(rule, name))
                covers.update(
                    (name, rule.tools, rule.except_)
                    for name, _ in granted
                    if is_glob(name) and any(globs_overlap(g, name) for g in rule.tools or ())
                )
                covers = {one for one in covers if not isinstance(one, str) or not is_glob(one)}
            yield _Pair(mine, its, frozenset(covers))
        for (section, name), rules_of in old.entry_rules.items():
            place = name if section == "tools" and not is_glob(name) else (section, name)
            for mine, its in zip(rules_of, new.entry_rules[section, name], strict=True):
                yield _Pair(mine, its, frozenset({place}))
        for stage, texts in old.text_rules.items():
            for mine, its in zip(texts, new.text_rules[stage], strict=True):
                yield _Pair(mine, its, frozenset({("text", stage)}))


def _covers(rule: TopRule, tool: str) -> bool:
    return any(matches_glob(glob, tool) for glob in rule.tools or ()) and not any(
        matches_glob(glob, tool) for glob in rule.except_ or ()
    )


def _denies(rule: CompiledRule) -> bool:
    """Whether a rule denies wherever its condition is not false."""
    return (
        rule.enforced
        and rule.effect == "deny"
        and rule.condition is not None
        and rule.check is None
        and rule.constraint is None
    )


def _reads(rule: CompiledRule, root: Term) -> bool:
    if rule.condition is None:
        return False
    return any(path[: len(root)] == root[: len(path)] for path in rule.condition.reads)


def _is_optional(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("optional") is True
