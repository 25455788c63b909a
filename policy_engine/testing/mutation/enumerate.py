"""Every mutant of a policy set, in an order that does not change."""

from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.compiler import Compiled, CompiledRule
from policy_engine.compiler.meaning.places import rules_of
from policy_engine.compiler.names import is_glob
from policy_engine.compiler.parts import Parts
from policy_engine.source import Path
from policy_engine.testing.mutation.entries import entry_mutants
from policy_engine.testing.mutation.known import Known
from policy_engine.testing.mutation.limits import limit_mutants, price_mutants
from policy_engine.testing.mutation.mutant import Mutant, Site
from policy_engine.testing.mutation.policies import policy_mutants
from policy_engine.testing.mutation.rules import is_free_text, rule_mutants

__all__ = ["compiled_rule", "mutants_of"]


def mutants_of(compiled: Compiled) -> Iterator[Mutant]:
    """Yield the mutants of a policy set.

    Observed policies and rules have none, for they do nothing. Nor have messages, descriptions,
    owners and severities, which let nothing through, and where facts come from, which tests give
    themselves. What a rule asks of one value, such as `x == "a"` or `isIP(x)`, goes with its
    clause or its rule alone.
    """
    granted = [
        (name, entry.args)
        for parts in compiled.parts
        for name, entry in (parts.loaded.policy.tools or {}).items()
        if entry.effect != "deny" and not is_glob(name)
    ]
    # Of a tool that takes no text a rule may have nothing to say anyway.
    tools = [name for name, args in sorted(granted, key=lambda one: not _takes_text(one[1]))]
    known = Known(compiled.policies)
    for index, parts in enumerate(compiled.parts):
        loaded = parts.loaded
        if loaded.policy.mode == "observe":
            continue
        yield from policy_mutants(index, loaded, known)
        yield from entry_mutants(index, loaded, compiled.policies)
        for placed in rules_of(loaded.policy):
            if placed.rule.mode == "observe":
                continue
            rule = compiled_rule(parts, placed.path)
            site = Site(index, loaded, placed.path, f"{loaded.policy.policy}/{placed.rule.id}")
            yield from rule_mutants(site, placed, rule, tools, known)
        yield from price_mutants(index, loaded)
        yield from limit_mutants(index, loaded)


def _takes_text(args: Mapping[str, Any] | None) -> bool:
    return args is None or any(map(is_free_text, args.values()))


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
