"""Every mutant of a policy set, in an order that does not change."""

from collections.abc import Iterator

from policy_engine.compiler import Compiled, CompiledRule
from policy_engine.compiler.meaning.places import rules_of
from policy_engine.compiler.parts import Parts
from policy_engine.source import Path
from policy_engine.testing.mutation.entries import entry_mutants, limit_mutants, policy_mutants
from policy_engine.testing.mutation.mutant import Mutant
from policy_engine.testing.mutation.rules import Site, rule_mutants

__all__ = ["compiled_rule", "mutants_of"]


def mutants_of(compiled: Compiled) -> Iterator[Mutant]:
    """Yield the mutants of a policy set; observed rules have none, for they do nothing."""
    for index, parts in enumerate(compiled.parts):
        loaded = parts.loaded
        if loaded.policy.mode == "observe":
            continue
        yield from policy_mutants(index, loaded)
        yield from entry_mutants(index, loaded)
        for placed in rules_of(loaded.policy):
            if placed.rule.mode == "observe":
                continue
            rule = compiled_rule(parts, placed.path)
            site = Site(index, loaded, placed.path, f"{loaded.policy.policy}/{placed.rule.id}")
            yield from rule_mutants(site, placed.rule, rule, placed.about)
        yield from limit_mutants(index, loaded)


def compiled_rule(parts: Parts, path: Path) -> CompiledRule:
    """Return a rule by its place in the policy."""
    match path:
        case ("input" | "output" as section, int(i)):
            return parts.text_rules[str(section)][i]
        case ("rules", int(i)):
            return parts.top_rules[i]
        case (section, str(name), kind, int(i)):
            inner = "result" if kind == "result" else str(section)
            return parts.entry_rules[inner, name][i]
    raise KeyError(path)
