"""Policy sets that differ from a compiled one in one place, without compiling the rest."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from policy_engine.cel import BOOL, Condition, Environment, Expression, Variable
from policy_engine.cel.expression import compile_tree
from policy_engine.cel.guarded import unguarded
from policy_engine.cel.nodes import Node
from policy_engine.cel.presence import access_path
from policy_engine.compiler.applies import compile_applies
from policy_engine.compiler.build import Compiled, compile_set
from policy_engine.compiler.covered import Covered, Entries
from policy_engine.compiler.literals import Literals
from policy_engine.compiler.names import globs_overlap
from policy_engine.compiler.parts import Parts, PolicyCompiler
from policy_engine.compiler.rule import CompiledRule
from policy_engine.decision import Stage
from policy_engine.errors import Fault, PolicyError
from policy_engine.policy import LoadedPolicy, Policy, PolicySet
from policy_engine.text import Patterns

__all__ = ["Variants"]

Path = tuple[str | int, ...]

_PLACES = Environment(
    {"request": Variable(BOOL, ("request",)), "facts": Variable(BOOL, ("facts",))}
)
"""What the function of a condition takes."""
_TEXTS: dict[str, tuple[Stage, Stage]] = {
    "input": ("input", "model_request"),
    "output": ("output", "model_response"),
}
_INNER: dict[str, Stage] = {"rules": "tool_call", "result": "tool_result"}


class Variants:
    """Makes variants of a compiled policy set; what is equal is shared with it.

    Args:
        compiled: The policy set.
    """

    def __init__(self, compiled: Compiled) -> None:
        self._base = compiled
        self._patterns = Patterns()
        for pattern in compiled.scanner.patterns:
            self._patterns.add(pattern.expression, caseless=pattern.caseless)
        self._known = len(self._patterns)
        self._entries = Entries(compiled.policies.policies)
        self._same: dict[int, PolicyCompiler] = {}
        """What compiles policies that are as they were, where it was asked for."""

    def with_condition(self, index: int, path: Path, tree: Node) -> Compiled:
        """Return the set in which the condition of one rule has another tree.

        Args:
            index: Which policy of the set.
            path: The rule's place in it.
            tree: A checked tree that reads no more than the rule's own.

        Raises:
            PolicyError: Such a condition does not load.
        """
        parts = replace(self._base.parts[index])
        self._refuse(index, path, tree)

        def changed(rule: CompiledRule) -> CompiledRule:
            assert rule.condition is not None  # noqa: S101 - the caller's promise
            function = compile_tree(tree, _PLACES, None)
            condition = replace(rule.condition, function=function, tree=tree)  # type: ignore[arg-type]
            return replace(rule, condition=condition)

        match path:
            case ("input" | "output" as section, int(i)):
                parts.text_rules = dict(parts.text_rules)
                for stage in _TEXTS[str(section)]:
                    rules = list(parts.text_rules[stage])
                    rules[i] = changed(rules[i])
                    parts.text_rules[stage] = rules
            case ("rules", int(i)):
                parts.top_rules = list(parts.top_rules)
                parts.top_rules[i] = changed(parts.top_rules[i])
            case (section, str(name), kind, int(i)):
                inner = "result" if kind == "result" else str(section)
                rules = list(parts.entry_rules[inner, name])
                rules[i] = changed(rules[i])
                parts.entry_rules = {**parts.entry_rules, (inner, name): rules}
        everything = list(self._base.parts)
        everything[index] = parts
        return replace(self._base, parts=tuple(everything))

    def _refuse(self, index: int, path: Path, tree: Node) -> None:
        """Refuse a condition that would not be loaded from a text."""
        if index not in self._same:
            policies = self._base.policies
            self._same[index] = self._compilers(policies, index, [], retyped=False)[index]
        compiler = self._same[index]
        rule, stage, covered = self._placed(index, path)
        assert rule.condition is not None  # noqa: S101 - the caller's promise
        at: Path = (*path, "when")
        faults = compiler.faults
        faults.clear()
        before = {access_path(read) for read in unguarded(rule.condition.tree)}
        document = self._base.policies.policies[index].document
        for read in unguarded(tree):
            if access_path(read) not in before:
                message = f'"{read.field}" is optional and read outside has()'
                faults.append(document.fault(at, "PE014", message))
        compiler.refuse(replace(rule.condition, tree=tree), at, stage, covered, 0)
        if faults:
            raise PolicyError(faults)

    def _placed(self, index: int, path: Path) -> tuple[CompiledRule, Stage, Sequence[Covered]]:
        """Return a rule by its place, when it is asked, and what its tools declare."""
        parts, policy = self._base.parts[index], self._base.policies.policies[index].policy
        match path:
            case ("input" | "output" as section, int(i)):
                stage = _TEXTS[str(section)][0]
                return parts.text_rules[stage][i], stage, ()
            case ("rules", int(i)):
                rule = policy.rules[i]
                covered = self._entries.covered(rule.tools or (), rule.except_ or ())
                return parts.top_rules[i], rule.stage, covered
            case ("handoffs", str(name), "rules", int(i)):
                return parts.entry_rules["handoffs", name][i], "handoff", ()
            case ("tools", str(name), kind, int(i)):
                inner = "result" if kind == "result" else "tools"
                stage = _INNER[str(kind)]
                return parts.entry_rules[inner, name][i], stage, [(policy.tools or {})[name].args]
        raise KeyError(path)

    def make(self, index: int, policy: Policy, unit: Path) -> Compiled:
        """Compile a set in which one policy is another.

        Args:
            index: Which policy of the set.
            policy: What stands in its place.
            unit: What is different in it: a rule or a limit by its place, `(…, "args")` for the
                arguments of an entry whose types are the same and `(…, "types")` for those
                whose types are not, `("declared",)` for the schemas of context, attributes and
                facts, an entry for what names alone settle, and `()` for anything else.

        Raises:
            PolicyError: It cannot do what it says.
        """
        before = self._base.policies.policies
        loaded = LoadedPolicy(policy, before[index].document)
        policies = PolicySet(
            (*before[:index], loaded, *before[index + 1 :]), self._base.policies.revision
        )
        if not unit:
            return compile_set(policies, warm=False)
        faults: list[Fault] = []
        everything = list(self._base.parts)
        everything[index] = replace(everything[index], loaded=loaded)
        retyped = len(unit) == 3 and unit[2] == "types"
        compilers = self._compilers(policies, index, faults, retyped=retyped)
        if unit == ("declared",):
            parts = everything[index]
            everything[index] = _redeclared(parts, compilers[index], before[index].policy)
        elif retyped:
            tool = str(unit[1])
            bare = (policy.tools or {})[tool].args is None
            for i, compiler in compilers.items():
                parts = everything[i]
                everything[i] = _retyped(parts, compiler, tool, own=i == index, bare=bare)
        else:
            self._change(everything[index], compilers[index], policy, unit)
        if faults:
            raise PolicyError(faults)
        applies = list(self._base.applies)
        applies[index] = compile_applies(policy.applies_to)
        scanner = self._base.scanner
        if len(self._patterns) > self._known:
            scanner = self._patterns.scanner
        return replace(
            self._base,
            policies=policies,
            parts=tuple(everything),
            applies=tuple(applies),
            scanner=scanner,
        )

    def _compilers(
        self, policies: PolicySet, index: int, faults: list[Fault], *, retyped: bool
    ) -> dict[int, PolicyCompiler]:
        """Return what compiles the policy that is different, or each where types are."""
        labels = frozenset(
            label
            for one in policies.policies
            for entry in (one.policy.tools or {}).values()
            for label in entry.labels
        )
        entries = Entries(policies.policies) if retyped else self._entries
        literals = Literals(policies.policies)
        return {
            i: PolicyCompiler(
                everything=policies,
                entries=entries,
                loaded=loaded,
                patterns=self._patterns,
                faults=faults,
                literals=literals,
                labels=labels,
                complete=True,
                readable=self._base.parts[i].readable(),
            )
            for i, loaded in enumerate(policies.policies)
            if retyped or i == index
        }

    def _change(self, parts: Parts, compiler: PolicyCompiler, policy: Any, unit: Path) -> None:
        match unit:
            case ("input" | "output" as section, int(i)):
                texts = dict(parts.text_rules)
                for stage in _TEXTS[str(section)]:
                    declared = getattr(policy, str(section))
                    texts[stage] = _changed(texts[stage], declared, i, compiler, unit, stage, [])
                parts.text_rules = texts
            case ("rules", int(i)):
                rule = policy.rules[i] if i < len(policy.rules) else None
                covered: Sequence[Covered] = []
                stage = "tool_call"
                if rule is not None:
                    covered = self._entries.covered(rule.tools or (), rule.except_ or ())
                    stage = rule.stage
                parts.top_rules = _changed(
                    parts.top_rules, policy.rules, i, compiler, unit, stage, covered
                )
            case ("limits", int(i)):
                limits = list(parts.limits)
                if len(policy.limits) < len(limits):
                    del limits[i]
                else:
                    limits[i] = compiler.limit(policy.limits[i], i)
                parts.limits = limits
            case ("tools", str(name), "args"):
                constraints = dict(parts.constraints)
                constraints.pop(name, None)
                entry = policy.tools[name]
                made = None if entry.args is None else compiler.entry_arguments(name, entry)
                if made is not None:
                    constraints[name] = made
                parts.constraints = constraints
            case (
                ("tools" | "handoffs") as section,
                str(name),
                ("rules" | "result") as kind,
                int(i),
            ):
                entry = getattr(policy, str(section))[name]
                inner = "result" if kind == "result" else str(section)
                at: Stage = "handoff" if section == "handoffs" else "tool_call"
                rules = dict(parts.entry_rules)
                rules[inner, name] = _changed(
                    rules[inner, name],
                    getattr(entry, str(kind)),
                    i,
                    compiler,
                    unit,
                    "tool_result" if kind == "result" else at,
                    [entry.args] if section == "tools" else [],
                )
                parts.entry_rules = rules


def _redeclared(parts: Parts, compiler: PolicyCompiler, before: Policy) -> Parts:
    """Compile anew what reads context, attributes and facts whose schemas are others.

    Args:
        parts: A policy, compiled.
        compiler: Compiles what it became.
        before: What it was.
    """
    policy = compiler.policy
    old, new = _declared(before), _declared(policy)
    places = [place for place, schema in old.items() if schema != new[place]]

    def again(
        rules: list[CompiledRule], declared: Any, path: Path, stage: Stage, args: Sequence[Covered]
    ) -> list[CompiledRule]:
        return [
            compiler.rule(declared[i], (*path, i), stage, args)
            if rule.condition is not None and _is_read(places, rule.condition)
            else rule
            for i, rule in enumerate(rules)
        ]

    changed = replace(parts)
    looked_up = (one for lookups in parts.lookups.values() for one in lookups)
    if any(_is_read(places, value) for one in looked_up for value in one.arguments):
        changed.lookups = {}
        compiler.lookups(changed)
    changed.text_rules = {
        stage: again(parts.text_rules[stage], getattr(policy, section), (section,), stage, ())
        for section, stages in _TEXTS.items()
        for stage in stages
    }
    changed.entry_rules = {}
    for (inner, name), rules in parts.entry_rules.items():
        section, kind = ("tools", "result") if inner == "result" else (inner, "rules")
        entry = getattr(policy, section)[name]
        stage = "handoff" if section == "handoffs" else _INNER[kind]
        args = [entry.args] if section == "tools" else []
        path: Path = (section, name, kind)
        changed.entry_rules[inner, name] = again(rules, getattr(entry, kind), path, stage, args)
    changed.top_rules = list(parts.top_rules)
    for i, rule in enumerate(policy.rules):
        condition = parts.top_rules[i].condition
        if condition is not None and _is_read(places, condition):
            covered = compiler.entries.covered(rule.tools or (), rule.except_ or ())
            changed.top_rules[i] = compiler.rule(rule, ("rules", i), rule.stage, covered)
    return changed


def _declared(policy: Policy) -> dict[tuple[str, ...], Any]:
    """Return the schemas of what a policy declares, by where conditions read it."""
    return {
        **{("context", name): schema for name, schema in policy.context.items()},
        **{("principal", "attrs", name): schema for name, schema in policy.attrs.items()},
        **{("facts", name): fact.schema_ for name, fact in policy.facts.items()},
    }


def _is_read(places: Sequence[tuple[str, ...]], read: Condition | Expression) -> bool:
    """Whether an expression reads one of some places, or what one of them is part of."""
    return any(at[: len(place)] == place[: len(at)] for at in read.reads for place in places)


def _retyped(parts: Parts, compiler: PolicyCompiler, name: str, *, own: bool, bare: bool) -> Parts:
    """Compile anew what reads the arguments of an entry whose types are others.

    Args:
        parts: A policy of the set, compiled.
        compiler: Compiles it.
        name: Whose arguments they are.
        own: Whether the entry is that of this policy.
        bare: Whether it declares none any more, so that facts may be looked up by none.
    """
    policy = compiler.policy
    changed = replace(parts)
    if bare and policy.facts:
        changed.lookups = {}
        compiler.lookups(changed)
    if own:
        entry = policy.tools[name]
        changed.constraints = {key: one for key, one in parts.constraints.items() if key != name}
        constraint = None if entry.args is None else compiler.entry_arguments(name, entry)
        if constraint is not None:
            changed.constraints[name] = constraint
        changed.entry_rules = dict(parts.entry_rules)
        for kind, stage in _INNER.items():
            changed.entry_rules["tools" if kind == "rules" else kind, name] = [
                compiler.rule(rule, ("tools", name, kind, i), stage, [entry.args])
                for i, rule in enumerate(getattr(entry, kind))
            ]
    changed.top_rules = list(parts.top_rules)
    for i, rule in enumerate(policy.rules):
        if any(globs_overlap(glob, name) for glob in rule.tools or ()):
            covered = compiler.entries.covered(rule.tools or (), rule.except_ or ())
            changed.top_rules[i] = compiler.rule(rule, ("rules", i), rule.stage, covered)
    changed.limits = list(parts.limits)
    for i, limit in enumerate(policy.limits):
        if any(globs_overlap(glob, name) for glob in limit.tools or ()):
            changed.limits[i] = compiler.limit(limit, i)
    return changed


def _changed(  # noqa: PLR0917 - a list of rules, and what one of them is made of
    rules: Sequence[Any],
    declared: Sequence[Any],
    index: int,
    compiler: PolicyCompiler,
    path: Path,
    stage: Stage,
    covered: Sequence[Covered],
) -> list[Any]:
    """Return compiled rules in which one is gone, or is another."""
    changed = list(rules)
    if len(declared) < len(rules):
        del changed[index]
    else:
        changed[index] = compiler.rule(declared[index], path, stage, covered)
    return changed
