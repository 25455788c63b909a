"""A rule that another rule always overrules.

What it does:
    Reports a rule that matches only where another one matches too whose effect is stricter, or
    denies as well: an approval above 1,000 beside a denial above 500, or the same denial twice.

Why:
    The rule decides nothing. Asking for an approval of what is denied anyway wastes nobody's
    time only because it is never asked.

Fails:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 5000}}
        rules:
          - {id: too-much, when: args.amount > 500, effect: deny}
          - id: ask
            when: args.amount > 1000
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}

Passes:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 5000}}
        rules:
          - {id: too-much, when: args.amount > 1000, effect: deny}
          - id: ask
            when: args.amount > 500
            effect: require_approval
            approval: {approvers: [finance], expires: 1h}

Fix:
    Move one of the two bounds, or remove the rule.
"""

from collections.abc import Iterator
from typing import Final

from policy_engine.decision import RANK
from policy_engine.lint.proof.formula import Formula, Group, atoms, formula
from policy_engine.lint.proof.scene import Scene, scenes
from policy_engine.lint.proof.solve import is_impossible
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.together import applies_with

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    by_tool: dict[tuple[str, str], list[PlacedCondition]] = {}
    rules = [found for found in subject.conditions if _is_whole(found)]
    covered = {id(found): _names(subject, found) for found in rules}
    for found in rules:
        for name in covered[id(found)]:
            by_tool.setdefault((found.stage, name), []).append(found)
    for found in rules:
        names = covered[id(found)]
        if not names:
            continue
        for other in by_tool[found.stage, names[0]]:
            if _overrules(subject, other, found, covered[id(other)], names):
                yield _found(subject, found, other)
                break


def _is_whole(found: PlacedCondition) -> bool:
    """Whether all that a rule asks is a condition that can be reasoned about, or nothing."""
    compiled = found.compiled
    return (
        compiled.check is None
        and compiled.constraint is None
        and compiled.enforced
        and compiled.effect in {"deny", "require_approval"}
    )


def _names(subject: Subject, found: PlacedCondition) -> tuple[str, ...]:
    if found.stage == "tool_call":
        return subject.covered(found)
    return ("",) if found.stage in {"input", "output"} else ()


def _overrules(
    subject: Subject,
    other: PlacedCondition,
    found: PlacedCondition,
    wide: tuple[str, ...],
    narrow: tuple[str, ...],
) -> bool:
    if other is found or not set(narrow) <= set(wide):
        return False
    theirs, ours = RANK[other.compiled.effect], RANK[found.compiled.effect]
    twice = theirs == ours and other.compiled.effect == "deny"
    if theirs < ours or (theirs == ours and not twice):
        return False
    if not applies_with(other.policy, found.policy):
        return False
    if found.compiled.condition is None:
        return other.compiled.condition is None and (theirs > ours or _later(subject, found, other))
    places = scenes(subject, found)
    if not _implies(found, other, places):
        return False
    return theirs > ours or not _implies(other, found, places) or _later(subject, found, other)


def _implies(found: PlacedCondition, other: PlacedCondition, places: list[Scene]) -> bool:
    if other.compiled.condition is None:
        return True
    if found.compiled.condition is None:
        return False
    ours = formula(found.compiled.condition.tree)
    against = formula(other.compiled.condition.tree, holds=False)
    if atoms(ours).keys() != atoms(against).keys() and not _share(ours, against):
        return False
    if any(is_impossible(ours, base=p.base) or is_impossible(against, base=p.base) for p in places):
        return False
    return all(is_impossible(ours, against, base=place.base) for place in places)


def _share(ours: Formula, theirs: Formula) -> bool:
    """Whether every value that the other rule tests is tested here too."""
    mine = {
        (atom.term, atom.operand if atom.kind == "other" else "") for atom in atoms(ours).values()
    }
    others = {
        (atom.term, atom.operand if atom.kind == "other" else "") for atom in atoms(theirs).values()
    }
    return others <= mine


def _later(subject: Subject, found: PlacedCondition, other: PlacedCondition) -> bool:
    """Whether a rule stands behind its equal, so that only one of the two is reported."""
    every = list(subject.conditions)
    return every.index(found) > every.index(other)


def _found(subject: Subject, found: PlacedCondition, other: PlacedCondition) -> Found:
    mine, theirs = found.compiled, other.compiled
    place = theirs.location
    wanted: list[Formula] = []
    if mine.condition is not None:
        wanted.append(formula(mine.condition.tree))
    places = scenes(subject, found)
    return Found(
        found.policy,
        (*found.placed.path, "id"),
        f'"{found.placed.rule.id}" decides nothing: '
        f'"{other.placed.rule.id}" {_VERBS[theirs.effect]} whatever it matches',
        f"the other is {place}; move a bound, or remove one of the two",
        witness=places[0].show(
            Group(True, tuple(wanted)),
            shows=f'both speak, and "{theirs.name}" decides',
            speaks=(mine.name, theirs.name),
            effect=theirs.effect if theirs.effect == "deny" else None,
        )
        if places
        else None,
    )


_VERBS: Final = {"deny": "denies", "require_approval": "asks for"}
RULE: Final = LintRule("PE106", "shadowed-rule", "warning", __doc__ or "", _find, proves=True)
