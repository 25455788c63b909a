"""Proves of an argument that takes other values that this lets no call through.

Either the values are the same, or whatever else it takes is denied all the same: by a rule, by a
constraint across tools, or by a limit that sums the argument.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.compiler import CompiledRule
from policy_engine.compiler.names import matches_glob
from policy_engine.lint.proof.formula import Formula, Term, formula
from policy_engine.testing.mutation.alike.kinds import Known, outcomes
from policy_engine.testing.mutation.alike.pairs import Change, Pair, covers, denies
from policy_engine.testing.mutation.alike.readers import reads_alike, touches
from policy_engine.testing.mutation.alike.values import (
    Difference,
    difference,
    is_never,
    is_optional,
    never_both,
    where_present,
)
from policy_engine.testing.search.fitting import fits, only_of

__all__ = ["of_entry"]

_EXACT: Final = 2**53
"""A whole number beyond is none that is read as a double."""
_BEYOND: Final[tuple[Mapping[str, Any], ...]] = (
    {"type": "number", "exclusiveMinimum": _EXACT},
    {"type": "number", "exclusiveMaximum": -_EXACT},
)


def of_entry(change: Change, tool: str) -> str | None:
    """Say why no call of a tool is decided otherwise; None where that is not proved."""
    return _Entry(change, tool).proof()


@dataclass(frozen=True, slots=True)
class _Entry:
    change: Change
    tool: str

    @property
    def term(self) -> Term:
        """The argument."""
        return ("args", self.change.aim.name)

    def proof(self) -> str | None:
        """Prove it in one of several ways."""
        aim = self.change.aim
        before, after = aim.before, aim.after
        if is_optional(before) != is_optional(after) or not is_never(self.term, before, after):
            return None
        differs = difference(self.term, before, after)
        is_retyped = self.change.mutant.unit[2] == "types"
        if is_retyped and not self._is_read_alike(differs):
            return None
        if is_never(self.term, after, before):
            return "it takes the same values"
        only = only_of(self.term, after, before)
        return self._denied(differs, only)

    def _denied(self, differs: Difference | None, only: tuple[Formula, ...]) -> str | None:
        """Say what denies all that is taken as well."""
        told: Known | None = None
        if differs is not None:
            told = differs.known(is_optional=is_optional(self.change.aim.before))
        for pair in self._denying():
            tree = pair.new.condition.tree if pair.new.condition is not None else None
            if tree is None:
                continue
            is_barred = told is not None and self._bars(pair, told)
            if is_barred or never_both(*only, where_present(formula(tree, holds=False), self.term)):
                return f'"{pair.new.name}" denies what else it takes'
        for name in (*self._constraining(only), *self._limiting(only)):
            return f'"{name}" denies what else it takes'
        return None

    def _bars(self, pair: Pair, known: Known) -> bool:
        assert pair.new.condition is not None  # noqa: S101 - asked before
        found = outcomes(pair.new.condition.tree, known, self._declares)
        return False not in found

    def _declares(self, path: Term) -> Any:
        return self.change.declared(path, frozenset({self.tool}))

    def _denying(self) -> Iterator[Pair]:
        """Yield the rules of the same policy that deny calls of the tool by a condition alone."""
        for pair in self.change.pairs():
            if self.tool in pair.covers and denies(pair.old) and denies(pair.new):
                yield pair

    def _constraining(self, only: tuple[Formula, ...]) -> Iterator[str]:
        """Yield the constraints across tools that deny all of it."""
        parts = self.change.changed.parts[self.change.mutant.index]
        for rule, made in zip(parts.loaded.policy.rules, parts.top_rules, strict=True):
            schema = (rule.args or {}).get(self.term[1])
            is_asked = rule.effect == "deny" and made.enforced and covers(rule, self.tool)
            if schema is None or not is_asked or rule.stage != "tool_call":
                continue
            if never_both(fits(self.term, schema), *only):
                yield made.name

    def _limiting(self, only: tuple[Formula, ...]) -> Iterator[str]:
        """Yield the limits that no such amount is within."""
        parts = self.change.changed.parts[self.change.mutant.index]
        for limit, made in zip(parts.loaded.policy.limits, parts.limits, strict=True):
            counts = any(matches_glob(glob, self.tool) for glob in limit.tools or ())
            if made.enforced and counts and made.unit == ".".join(self.term):
                within = {"type": "number", "minimum": 0, "maximum": made.max}
                if never_both(fits(self.term, within), *only):
                    yield made.name

    def _is_read_alike(self, differs: Difference | None) -> bool:
        """Whether what was taken before is read alike, though its type is another."""
        if differs is None:
            return False
        if not differs.retypes:
            return True
        trees = list(self._read())
        if any(stage == "result" and touches(tree, differs.path) for stage, tree in trees):
            return False  # of a result it is not asked again whether the arguments fit
        if not differs.has_numbers:
            return True
        if not all(reads_alike(tree, differs.path) for _, tree in trees):
            return False
        return not differs.huge or self._huge_denied(differs)

    def _read(self) -> Iterator[tuple[str, Any]]:
        """Yield the conditions that may read the argument, each with when it is asked."""
        for parts in self.change.changed.parts:
            rules: list[tuple[str, CompiledRule]] = [("call", one) for one in parts.top_rules]
            for (section, name), found in parts.entry_rules.items():
                if section in {"tools", "result"} and matches_glob(name, self.tool):
                    when = "result" if section == "result" else "call"
                    rules.extend((when, one) for one in found)
            for when, rule in rules:
                if rule.condition is not None:
                    yield when, rule.condition.tree

    def _huge_denied(self, differs: Difference) -> bool:
        """Whether whole numbers that are no doubles are denied, before and after."""
        if differs.path == self.term and all(map(self._never_within, _BEYOND)):
            return True
        known = (Known(differs.path, frozenset()), *differs.huge)
        return any(
            all(
                rule.condition is not None
                and False not in outcomes(rule.condition.tree, one, self._declares)
                for rule in (pair.old, pair.new)
                for one in known
            )
            for pair in self._denying()
        )

    def _never_within(self, beyond: Mapping[str, Any]) -> bool:
        """Whether a constraint or a limit denies all numbers beyond a bound."""
        only = fits(self.term, beyond), fits(self.term, self.change.aim.after)
        return any(True for _ in (*self._constraining(only), *self._limiting(only)))
