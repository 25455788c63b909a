"""Tests of pieces of a text in conditions: startsWith, endsWith, contains, == and in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.decided import decided
from policy_engine.lint.proof.formula import Clause, clauses, formula
from policy_engine.lint.proof.scene import scenes
from policy_engine.lint.proof.schema import values_of
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RESTRICTING", "Piece", "lets_through", "tested"]

RESTRICTING: Final = frozenset({"deny", "require_approval"})
"""Effects of rules that stop calls."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A test of a text argument in a rule that stops calls."""

    found: PlacedCondition
    clause: Clause
    allows: bool
    """Whether the rule is silent about what passes the test, rather than about what does not."""

    @property
    def kind(self) -> str:
        """`prefix`, `suffix`, `contains`, `==` or `in`."""
        return self.clause.atom.kind

    @property
    def operand(self) -> Any:
        """What it is tested against."""
        return self.clause.atom.operand

    @property
    def argument(self) -> str:
        """The argument, with what is below it."""
        return ".".join(self.clause.atom.term[1:])


def tested(subject: Subject) -> tuple[Piece, ...]:
    """Return the tests of text arguments in rules about calls."""
    return subject.once("pieces", lambda: _tested(subject))


def _tested(subject: Subject) -> Iterator[Piece]:
    for found in subject.conditions:
        compiled = found.compiled
        if compiled.condition is None or compiled.effect not in RESTRICTING:
            continue
        if found.stage != "tool_call":
            continue
        for clause in clauses(formula(compiled.condition.tree)):
            if clause.atom.term[:1] == ("args",) and clause.atom.type == "string":
                yield Piece(found, clause, allows=not clause.holds)


def lets_through(subject: Subject, piece: Piece, value: str, shows: str) -> Witness | None:
    """Return a call with a value that nothing about its argument stops, or None."""
    term = piece.clause.atom.term
    about = {
        found.compiled.name
        for found in subject.conditions
        if found.compiled.condition is not None
        and any(read[:2] == term[:2] for read in found.compiled.condition.reads)
    }
    about.add(piece.found.compiled.name)
    for scene in scenes(subject, piece.found)[:4]:
        if not values_of(*scene.schemas(term)).admits(value):
            continue
        witness = scene.plain({term: value}).witness(shows, silent=(piece.found.compiled.name,))
        decision = decided(subject, witness)
        if decision is None:
            continue
        stopped = {
            reason.rule
            for reason in decision.reasons
            if reason.effect != "allow" and (reason.rule in about or reason.code[:5] == "args.")
        }
        if not stopped:
            return witness
    return None
