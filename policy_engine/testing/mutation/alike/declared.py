"""Proves of a fact, an attribute or a name of the context that it may as well be something else."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from policy_engine.compiler import CompiledRule
from policy_engine.lint.proof.formula import Term
from policy_engine.testing.mutation.alike.kinds import Known, outcomes
from policy_engine.testing.mutation.alike.pairs import Change, Pair, denies, reads
from policy_engine.testing.mutation.alike.readers import reads_alike
from policy_engine.testing.mutation.alike.values import Difference, difference

__all__ = ["of_declared"]

_ROOTS: Final[Mapping[str, Term]] = {
    "facts": ("facts",),
    "attrs": ("principal", "attrs"),
    "context": ("context",),
}


def of_declared(change: Change) -> str | None:
    """Say why no request is decided otherwise; None where that is not proved."""
    return _Declared(change).proof()


@dataclass(frozen=True, slots=True)
class _Declared:
    change: Change

    def proof(self) -> str | None:
        """Prove that each rule that reads it speaks of it as before, or that another denies."""
        aim = self.change.aim
        root = (*_ROOTS[aim.place], aim.name)
        pairs = [pair for pair in self.change.pairs() if reads(pair.old, root)]
        if not pairs:
            return "no condition reads it"
        differs = difference(root, aim.before, aim.after)
        known = None if differs is None else differs.known(is_optional=False)
        if differs is None or known is None or not self._is_read_alike(differs, pairs):
            return None
        # Before, a condition cannot be told whose value does not fit its schema: the rule speaks.
        speaking = [pair for pair in pairs if self._speaks(pair, known)]
        bars = [pair for pair in speaking if denies(pair.old) and denies(pair.new)]
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

    def _speaks(self, pair: Pair, known: Known) -> bool:
        """Whether a rule speaks, before and after, of values that only the mutant takes."""
        is_bare = pair.new.check is None and pair.old.check is None
        return is_bare and self._is_guarded(pair.old) and self._is_told(pair, pair.new, known)

    def _is_guarded(self, rule: CompiledRule) -> bool:
        aim = self.change.aim
        return any(one.place == aim.place and one.name == aim.name for one in rule.guards)

    def _is_told(self, pair: Pair, rule: CompiledRule, known: Known) -> bool:
        """Whether a condition is certainly not false of a value that is known."""
        declares = partial(self.change.declared, tools=pair.covers)
        condition = rule.condition
        return condition is not None and False not in outcomes(condition.tree, known, declares)

    def _is_read_alike(self, differs: Difference, pairs: list[Pair]) -> bool:
        """Whether what was taken before is read alike, though its type is another."""
        if not differs.retypes or not differs.has_numbers:
            return True
        trees = [pair.new.condition.tree for pair in pairs if pair.new.condition is not None]
        if not all(reads_alike(tree, differs.path) for tree in trees):
            return False
        return all(self._huge_spoken(differs, pair) for pair in pairs)

    def _huge_spoken(self, differs: Difference, pair: Pair) -> bool:
        """Whether a rule speaks of numbers that are no doubles, before and after."""
        if not any(differs.path[: len(one)] == one for one in _read(pair.old)):
            return True
        known = [Known(differs.path, frozenset()), *differs.huge] if differs.huge else []
        rules = (pair.old, pair.new)
        return all(self._is_told(pair, rule, one) for rule in rules for one in known)


def _read(rule: CompiledRule) -> list[Term]:
    return [] if rule.condition is None else list(rule.condition.reads)
