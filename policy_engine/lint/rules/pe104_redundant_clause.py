"""A part of a condition that another part says already.

What it does:
    Reports a term of `&&` that the other terms imply, and a term of `||` that implies another:
    `args.amount > 10 && args.amount > 100`.

Why:
    One of the two bounds is not the one that counts, and the next editor changes the wrong one.

Fails:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 500}}
        rules:
          - {id: large, when: args.amount > 10 && args.amount > 100, effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 500}}
        rules:
          - {id: middling, when: args.amount > 10 && args.amount < 100, effect: deny}

Fix:
    Remove the term; `--fix` does where both terms read the same values.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from policy_engine.cel.nodes import And, Node, Or
from policy_engine.lint.edits import expression_edit
from policy_engine.lint.finding import Edit, Witness
from policy_engine.lint.places import nodes, piece
from policy_engine.lint.proof.alike import unlike_scenes
from policy_engine.lint.proof.formula import (
    Atom,
    Clause,
    Formula,
    Group,
    Term,
    clauses,
    formula,
)
from policy_engine.lint.proof.resting import RESTS, rests
from policy_engine.lint.proof.scene import Scene
from policy_engine.lint.proof.solve import is_impossible
from policy_engine.lint.proof.untold import perhaps, surely
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        if found.compiled.condition is None:
            continue
        tree = found.compiled.condition.tree
        joined = [node for node in nodes(tree) if isinstance(node, And | Or)]
        places = unlike_scenes(subject, found) if joined else []
        for node in joined if places else ():
            yield from _redundant(found, node, places)


def _redundant(found: PlacedCondition, node: And | Or, places: list[Scene]) -> Iterator[Found]:
    is_and = isinstance(node, And)
    left = list(node.terms)
    for term in reversed(node.terms):
        others = [other for other in left if other is not term]
        rest = [formula(other, holds=is_and) for other in others]
        alone, against = formula(term, holds=not is_and), Group(True, tuple(rest))
        if not others or not _all_tested(alone) or not all(map(_all_tested, rest)):
            continue
        every = [formula(one) for one in node.terms if one is not term]
        if _is_guard(alone, every, [formula(one) for one in others]):
            continue
        if not all(is_impossible(against, alone, base=place.base) for place in places):
            continue
        if any(is_impossible(part, base=p.base) for p in places for part in (alone, against)):
            continue  # constant by itself, which has a rule of its own
        if not all(_is_safe_untold(place, term, others, is_and=is_and) for place in places):
            continue
        left.remove(term)
        resting = rests(places, partial(_is_proved, (against, alone)))
        text = piece(found, term)
        yield Found(
            found.policy,
            found.path,
            f'"{text}" changes nothing: the rest of the condition '
            + ("implies it" if is_and else "holds whenever it does")
            + (RESTS if resting else ""),
            "remove it",
            part=(term.start, term.end),
            witness=_witness(found, places[0], node, term, others),
            edits=_edits(found, node, term, others),
        )


def _is_proved(wanted: tuple[Formula, ...], place: Scene) -> bool:
    return is_impossible(*wanted, base=place.base)


def _is_safe_untold(scene: Scene, term: Node, others: list[Node], *, is_and: bool) -> bool:
    """Whether no request slips through without a term because another cannot be told.

    Of `&&` that is one, under `!`, where all others are true; of `||` one where all are false.
    """
    rest = (surely(other, scene, holds=is_and) for other in others)
    return is_impossible(*rest, perhaps(term, scene, holds=not is_and), base=scene.base)


def _is_guard(term: Formula, every: list[Formula], left: list[Formula]) -> bool:
    """Whether a term is the `has()` without which another would not load."""
    return all(
        clause.atom.kind == "present"
        and not any(isinstance(one, Clause) and one.atom.key == clause.atom.key for one in left)
        and any(_needs(one, clause.atom) for one in every)
        for clause in clauses(term)
    )


def _needs(part: Formula, guard: Atom) -> bool:
    """Whether a part reads what it does not ask for itself."""
    found = [clause.atom for clause in clauses(part)]
    asks = any(atom.key == guard.key for atom in found)
    return not asks and any(_reads(atom.term, guard.term) for atom in found)


def _reads(read: Term, path: Term) -> bool:
    return any(read[at : at + len(path)] == path for at in range(2))


def _all_tested(wanted: Formula) -> bool:
    return all(clause.atom.kind != "other" for clause in clauses(wanted))


def _witness(
    found: PlacedCondition, scene: Scene, node: And | Or, term: Node, others: list[Node]
) -> Witness | None:
    """Show a request that tells the term from the rest, and what the rest alone decides."""
    condition = found.compiled.condition
    named = (found.compiled.name,) if condition is not None and node is condition.tree else ()
    rest: Node = others[0] if len(others) == 1 else replace(node, terms=tuple(others))
    if isinstance(node, And):
        shows = "the term holds here, and the rest of the condition does not"
        return scene.show(
            formula(term),
            formula(rest, holds=False),
            shows=shows,
            silent=named,
            told=((term, True), (node, False)),  # so the rest is false
        )
    shows = "the rest of the condition holds here, without the term"
    return scene.show(
        formula(term, holds=False),
        formula(rest),
        shows=shows,
        speaks=named,
        told=((term, False), (node, True)),
    )


def _edits(
    found: PlacedCondition, node: And | Or, term: Node, others: list[Node]
) -> tuple[Edit, ...]:
    condition = found.compiled.condition
    assert condition is not None  # noqa: S101 - asked before
    reads = {c.atom.term for o in others for c in clauses(formula(o))}
    if not {c.atom.term for c in clauses(formula(term))} <= reads:
        return ()  # what cannot be told would change
    operator = re.escape("&&" if isinstance(node, And) else "||")
    before, after = condition.text[: term.start], condition.text[term.end :]
    if (match := re.search(rf"\s*{operator}\s*$", before)) is not None:
        start, end = match.start(), term.end
    elif (match := re.match(rf"\s*{operator}\s*", after)) is not None:
        start, end = term.start, term.end + match.end()
    else:
        return ()
    removed = condition.text[start:end]
    if removed.count("(") != removed.count(")"):
        return ()  # a bracket that is not the term's own
    return expression_edit(found.policy, found.path, condition.text, start, end, "")


RULE: Final = LintRule("PE104", "redundant-clause", "warning", __doc__ or "", _find, proves=True)
