"""Tests of pieces of a text in conditions: startsWith, endsWith, contains, == and in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from policy_engine.lint.accepted import names_about
from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.decided import decided, is_stopped
from policy_engine.lint.proof.formula import Clause, Formula, Term, clauses, formula, opposite
from policy_engine.lint.proof.scene import Draft, Scene, scenes
from policy_engine.lint.proof.schema import ELEMENT, sampled, values_of
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = [
    "RESTRICTING",
    "Piece",
    "every_clause",
    "lets_through",
    "read_of",
    "slips_through",
    "stopping_clauses",
    "tested",
]

RESTRICTING: Final = frozenset({"deny", "require_approval"})
"""Effects of rules that stop calls."""
_FEW: Final = 4
"""So many rules that stopped other calls are asked before all are."""
_INVALID: Final = "request.invalid"
_CHANGED: Final = frozenset({"lowerAscii", "upperAscii", "trim"})


def read_of(term: Term) -> Term:
    """Return what a term reads, without what is done to a text before it is tested."""
    while term and term[0] in _CHANGED:
        term = term[1:]
    return term


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
    def term(self) -> Term:
        """What is tested, whatever its case or the white space round it."""
        return read_of(self.clause.atom.term)

    @property
    def argument(self) -> str:
        """The argument, with what is below it."""
        return ".".join(step for step in self.term[1:] if step != ELEMENT)


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
        for clause in every_clause(formula(compiled.condition.tree)):
            read = read_of(clause.atom.term)
            if read[:1] == ("args",) and (clause.atom.type == "string" or _is_piece(clause)):
                yield Piece(found, clause, allows=not clause.holds)


def stopping_clauses(subject: Subject) -> Iterator[tuple[PlacedCondition, Clause]]:
    """Go through the tests of rules that stop something, each with its rule."""
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is not None and found.compiled.effect in RESTRICTING:
            for clause in clauses(formula(condition.tree)):
                yield found, clause


def every_clause(whole: Formula) -> Iterator[Clause]:
    """Go through tests, and those of the elements of lists."""
    for clause in clauses(whole):
        if clause.atom.kind == "every":
            inner = clause.atom.operand
            yield from every_clause(inner if clause.holds else opposite(inner))
        else:
            yield clause


def _is_piece(clause: Clause) -> bool:
    return clause.atom.kind in {"prefix", "suffix", "contains", "matches"}


def lets_through(subject: Subject, piece: Piece, value: str, shows: str) -> Witness | None:
    """Return a call with a value that nothing about its argument stops, or None."""
    drafts = (
        scene.plain(fixed)
        for scene in scenes(subject, piece.found)[:4]
        if values_of(*scene.schemas(piece.term)).admits(value)
        for fixed in _holding(scene, piece.term, value)
    )
    return slips_through(subject, piece.found, piece.term, drafts, shows)


def _holding(scene: Scene, term: Term, value: str) -> Iterator[dict[Term, Any]]:
    """Say what an argument is that holds a value: of a list, its only element."""
    if ELEMENT not in term:
        yield {term: value}
        return
    index = term.index(ELEMENT)
    listed, below = term[:index], term[index + 1 :]
    element: Any = value
    if below:
        element = sampled(scene.schemas((*listed, ELEMENT)))
        if ELEMENT in below or not isinstance(element, dict):
            return
        holder = element
        for step in below[:-1]:
            holder = holder.setdefault(step, {})
        holder[below[-1]] = value
    least = scene.base(("size", *listed)).lowest[0]
    yield {listed: [element] * max(1, int(least))}


def _is_alone(found: PlacedCondition) -> bool:
    """Whether a rule speaks wherever its condition is true."""
    return found.compiled.check is None and found.compiled.constraint is None


def slips_through(
    subject: Subject, found: PlacedCondition, term: Term, drafts: Iterable[Draft], shows: str
) -> Witness | None:
    """Return the first call that neither a rule nor anything else about its argument stops."""
    about = {one for name in subject.covered(found) for one in names_about(subject, name, term[1])}
    about.add(found.compiled.name)
    for draft in drafts:
        witness = draft.witness(shows, silent=(found.compiled.name,))
        before = _stopping(subject, draft.scene, term[1])
        first = [one.compiled for one in (found, *before) if _is_alone(one)]
        if is_stopped(subject, witness, first):
            continue
        decision = decided(subject, witness)
        if decision is None:
            continue
        stopped = {
            reason.rule
            for reason in decision.reasons
            if reason.effect != "allow"
            and (reason.rule in about or reason.code[:5] == "args." or reason.code == _INVALID)
        }
        if not stopped:
            return witness
        rules = subject.rules_of(draft.scene.name or "")
        before[:0] = [
            one
            for one in rules
            if one.compiled.name in stopped & about and one.policy is found.policy
        ][:1]
        del before[_FEW:]
    return None


def _stopping(subject: Subject, scene: Scene, argument: str) -> list[PlacedCondition]:
    """Return rules about an argument that stopped calls which other rules let through.

    One rule often stops all of them, and to ask it first spares a decision by every rule.
    """
    key = f"stopping {argument} of {scene.name} in {scene.policy.policy.policy}"
    return subject.once(key, lambda: [list[PlacedCondition]()])[0]
