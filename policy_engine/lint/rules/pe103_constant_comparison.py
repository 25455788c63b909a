"""A comparison that the declared values decide beforehand.

What it does:
    Reports a single test inside of a condition that can never be true, or is always true, for
    the values that the schemas accept: `now.getHours("UTC") > 23`, `args.amount < 0` above a
    minimum of 0; and a branch of `? :` that its test decides. Of a tool that is in
    `session.calls`, at least one call returned. (A value that an enum does not have keeps a
    policy from loading: PE013.) With `--tools`, what the tool's own schema takes counts too.

Why:
    The value was renamed, or is spelt differently on the two sides. The rest of the condition
    still works, which hides it.

Fails:
    tools:
      deploy:
        args: {force: {type: boolean}, hosts: {type: integer, minimum: 0, maximum: 100}}
        rules:
          - {id: careful, when: args.hosts > 500 || args.force, effect: deny}
    ---
    # tools.json: [{"name": "deploy", "inputSchema": {"type": "object",
    # tools.json: "properties": {"hosts": {"type": "integer", "maximum": 200}}}}]
    tools:
      deploy:
        args: {force: {type: boolean}, hosts: {type: integer, minimum: 0, maximum: 500}}
        rules:
          - {id: careful, when: args.hosts > 200 || args.force, effect: deny}
    ---
    tools:
      deploy:
        args: {force: {type: boolean}, hosts: {type: integer, minimum: 0, maximum: 100}}
        rules:
          - id: careful
            when: 'args.hosts > 5 ? args.force : args.hosts > 7'
            effect: deny

Passes:
    tools:
      deploy:
        args: {force: {type: boolean}, hosts: {type: integer, minimum: 0, maximum: 100}}
        rules:
          - {id: careful, when: args.hosts > 50 || args.force, effect: deny}
    ---
    tools:
      deploy:
        args: {force: {type: boolean}, hosts: {type: integer, minimum: 0, maximum: 100}}
        rules:
          - {id: careful, when: 'args.force ? args.hosts > 5 : args.hosts > 50', effect: deny}

Fix:
    Write the value as the schema has it, or extend the schema.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from policy_engine.cel.nodes import Conditional, Literal, Loop, Node, children
from policy_engine.lint.places import piece
from policy_engine.lint.proof.alike import unlike_scenes
from policy_engine.lint.proof.formula import Atom, Clause, Formula, Term, clauses, formula
from policy_engine.lint.proof.resting import RESTS, rests
from policy_engine.lint.proof.scene import Scene
from policy_engine.lint.proof.solve import Base, is_impossible
from policy_engine.lint.proof.values import Values
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.policy.words import did_you_mean

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None:
            continue
        whole = formula(condition.tree)
        tested = [clause for clause in clauses(whole) if clause.node is not condition.tree]
        if len(tested) < 2 and isinstance(whole, Clause):
            continue  # the condition itself, which has rules of its own
        places = unlike_scenes(subject, found)
        if not places or _is_settled(found, places):
            continue
        said: dict[tuple[int, int], bool] = {}
        for clause in tested:
            bases = [_base(place, whole, clause) for place in places]
            for holds in (True, False):
                one = Clause(clause.atom, clause.holds is holds, clause.node)
                known = bases if holds else [place.base for place in places]
                never = _means(clause) is holds
                where = (clause.node.start, clause.node.end)
                if where not in said and all(is_impossible(one, base=base) for base in known):
                    said[where] = never
                    resting = rests(places, partial(_is_proved, one, whole if holds else one))
                    yield _found(found, clause, places[0], never=never, resting=resting)
        for node in _conditionals(condition.tree):
            yield from _branches(found, node, places)


def _conditionals(tree: Node) -> Iterator[Conditional]:
    """Go through the choices of a condition, but for those about elements of lists."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Conditional):
            yield node
        if not isinstance(node, Loop):
            waiting.extend(children(node)[::-1])


def _branches(found: PlacedCondition, node: Conditional, places: list[Scene]) -> Iterator[Found]:
    """Find a branch of a choice that its test decides beforehand."""
    for branch, given in ((node.then, True), (node.otherwise, False)):
        test = formula(node.test, holds=given)
        if isinstance(branch, Literal) or any(_never([test], one) for one in places):
            continue
        for holds in (True, False):
            wanted = formula(branch, holds=holds)
            if not all(_never([test, wanted], one) for one in places):
                continue
            if any(_never([wanted], one) for one in places):
                continue  # constant by itself
            text, asked = piece(found, branch), piece(found, node.test)
            told = ((node.test, given), (branch, not holds))
            yield Found(
                found.policy,
                found.path,
                f'"{text}" is {"never" if holds else "always"} true where "{asked}" is '
                f"{str(given).lower()}"
                + (RESTS if rests(places, partial(_never, [test, wanted])) else ""),
                "correct one of the two, or write what is left of the choice",
                part=(branch.start, branch.end),
                witness=places[0].show(
                    test,
                    shows=f'"{text}" is {str(not holds).lower()} here, as always',
                    told=told,
                ),
            )


def _never(wanted: list[Formula], place: Scene) -> bool:
    return is_impossible(*wanted, base=place.base)


def _is_proved(one: Clause, whole: Formula, place: Scene) -> bool:
    return is_impossible(one, base=_base(place, whole, one))


def _means(clause: Clause) -> bool:
    """Whether a clause holds where its part is true, and not, under `!`, where it is false."""
    alone = formula(clause.node)
    return isinstance(alone, Clause) and alone.holds is clause.holds


def _base(place: Scene, whole: Formula, clause: Clause) -> Base:
    """Return what values may be: of a tool that must be in `session.calls`, not 0."""
    counted = clause.atom.term
    if counted[:-1] != _CALLS or clause.atom.kind == "present":
        return place.base
    there = {(counted, "present", None), (_CALLS, "member", counted[-1])}
    if any((c.atom.term, c.atom.kind, c.atom.operand) in there for c in _all_held(whole)):
        return lambda term: _once(place, term, counted)
    return place.base


def _all_held(found: Formula) -> Iterator[Clause]:
    """Go through the tests that hold wherever a formula does."""
    if isinstance(found, Clause):
        yield from (found,) if found.holds else ()
    elif found.all or len(found.parts) == 1:
        for part in found.parts:
            yield from _all_held(part)


def _once(place: Scene, term: Term, counted: Term) -> Values:
    values = place.base(term)
    if term == counted:
        values.bound(low=1, is_open=False)
    return values


_CALLS: Final = ("session", "calls")


def _is_settled(found: PlacedCondition, places: list[Scene]) -> bool:
    assert found.compiled.condition is not None  # noqa: S101 - asked before
    tree = found.compiled.condition.tree
    return any(
        all(is_impossible(formula(tree, holds=holds), base=place.base) for place in places)
        for holds in (True, False)
    )


def _found(
    found: PlacedCondition, clause: Clause, scene: Scene, *, never: bool, resting: bool
) -> Found:
    text = piece(found, clause.node)
    chosen = scene.base(clause.atom.term).chosen if clause.atom.term else None
    hint = "write the value as its schema has it" if clause.atom.term else "compare what can differ"
    if chosen is not None:
        known = [str(value) for value in chosen]
        near = None
        if clause.atom.kind == "==" and isinstance(clause.atom.operand, str):
            near = did_you_mean(clause.atom.operand, known)
        hint = near or f"it is one of: {', '.join(known[:12])}"
    name = found.compiled.name
    opposite = Clause(clause.atom, clause.holds is (_means(clause) is not never), clause.node)
    shows = f'"{text}" is {str(not never).lower()} here, as always'
    # A tool that was called is counted once at least.
    once = Clause(Atom(clause.atom.term, "<", 1, "integer"), False, clause.node)
    counted = (once,) if clause.atom.term[:-1] == _CALLS else ()
    witness = scene.show(opposite, *counted, shows=shows, told=((clause.node, not never),))
    return Found(
        found.policy,
        found.path,
        f'"{text}" is {"never" if never else "always"} true in "{name.rpartition("/")[2]}"'
        + (RESTS if resting else ""),
        hint,
        part=(clause.node.start, clause.node.end),
        witness=witness,
    )


RULE: Final = LintRule("PE103", "constant-comparison", "warning", __doc__ or "", _find, proves=True)
