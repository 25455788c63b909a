"""The single terms and patterns of a rule's check, each as a check of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from policy_engine.checks import CHECKS
from policy_engine.compiler import CompiledRule
from policy_engine.policy import Rule
from policy_engine.text import Patterns

__all__ = ["Single", "singles"]


@dataclass(frozen=True, slots=True)
class Single:
    """A rule whose check has one term or pattern only, and no other condition."""

    text: str
    position: int
    kind: str
    rule: CompiledRule


def singles(rule: CompiledRule, declared: Rule, patterns: Patterns) -> Iterator[Single]:
    """Yield the terms or patterns of a rule's check.

    Args:
        rule: The rule.
        declared: The same as it is written.
        patterns: Receives what is to be searched for.
    """
    for kind in ("terms", "pattern"):
        options = getattr(declared.check, kind, None)
        if options is None:
            continue
        for i, text in enumerate(options.any):
            alone = options.model_copy(update={"any": [text]})
            check = CHECKS[kind].build(alone, patterns)
            yield Single(text, i, kind, replace(rule, condition=None, guards=(), check=check))
