"""A rule that other rules always overrule.

What it does:
    Reports a rule that matches only where another one matches too (or one of several others)
    whose effect is stricter, or denies as well: an approval above 1,000 beside a denial above
    500, the same denial twice, a check for some of the words that another check stops. Rules
    with `args` and with checks are compared as well as conditions.

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
    ---
    output:
      - {id: names, check: {terms: {any: [Apollo, Zeus]}}, effect: deny}
      - {id: apollo, check: {terms: {any: [apollo]}}, effect: redact}

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

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from policy_engine.decision import RANK
from policy_engine.lint.containment import check_covers, text_that_breaks
from policy_engine.lint.examples import spoken_with
from policy_engine.lint.finding import Witness
from policy_engine.lint.proof.alike import unlike_scenes
from policy_engine.lint.proof.formula import Clause, Formula, Group, Term, atoms, formula, opposite
from policy_engine.lint.proof.matching import (
    broken,
    matching,
    perhaps_matching,
    surely_silent,
)
from policy_engine.lint.proof.resting import RESTS, rests
from policy_engine.lint.proof.scene import Scene
from policy_engine.lint.proof.solve import is_impossible
from policy_engine.lint.proof.untold import can_be_untold
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject
from policy_engine.lint.together import applies_with

__all__ = ["RULE"]

_MOST: Final = 6
"""So many rules are looked at together."""


def _find(subject: Subject) -> Iterator[Found]:
    by_tool: dict[tuple[str, str], list[PlacedCondition]] = {}
    rules = [found for found in subject.conditions if found.compiled.enforced]
    covered = {id(found): _names(subject, found) for found in rules}
    tested = {id(found): _tested(found) for found in rules}
    for found in rules:
        for name in covered[id(found)]:
            by_tool.setdefault((found.stage, name), []).append(found)
    idle: set[int] = set()
    for found in rules:
        names = covered[id(found)]
        others = [
            other
            for other in (by_tool[found.stage, names[0]] if names else ())
            if other is not found
            and id(other) not in idle
            and _may_share(tested[id(found)], tested[id(other)])
            and set(names) <= set(covered[id(other)])
            and applies_with(other.policy, found.policy)
            and _may_overrule(other, found)
        ]
        together = _overruling(subject, found, others) if others else []
        if together:
            idle.add(id(found))
            yield _found(subject, found, together)


def _names(subject: Subject, found: PlacedCondition) -> tuple[str, ...]:
    if found.stage in {"tool_call", "tool_result"}:
        return subject.covered(found)
    return ("",) if found.stage in {"input", "output"} else ()


def _may_overrule(other: PlacedCondition, found: PlacedCondition) -> bool:
    theirs, ours = RANK[other.compiled.effect], RANK[found.compiled.effect]
    if theirs == ours:
        # Two approvals may be of other people; two redactions may replace other pieces.
        same = other.compiled.effect == "redact" and _says(other) == _says(found)
        return other.compiled.effect == "deny" or same
    # What is approved runs with what is redacted taken out, so only a denial overrules that.
    return theirs > ours and (found.compiled.effect != "redact" or other.compiled.effect == "deny")


def _says(found: PlacedCondition) -> tuple[object, object]:
    rule = found.placed.rule
    return (None if rule.check is None else broken(found).atom.key), rule.replacement


def _overruling(
    subject: Subject, found: PlacedCondition, others: Sequence[PlacedCondition]
) -> list[PlacedCondition]:
    """Return the rules of which one always matches where a rule does; as few as possible."""
    places = unlike_scenes(subject, found)
    seen = _seen(found, others, places[0]) if places else None
    if seen is None or any(_is_settled(found, place) for place in places):
        return []
    always = [other for other in others if all(other.compiled.name in names for names in seen)]
    alone = [other for other in always if _implies(found, [other], places)]
    for other in alone:
        stricter = RANK[other.compiled.effect] > RANK[found.compiled.effect]
        if stricter or not _implies(other, [found], places) or _later(subject, found, other):
            return [other]
    heard = frozenset[str]().union(*seen)
    left = [other for other in others if not seen or other.compiled.name in heard]
    if alone or not 1 < len(left) <= _MOST:
        return []
    if not _implies(found, left, places):
        return []
    for other in tuple(left):
        fewer = [one for one in left if one is not other]
        if _implies(found, fewer, places):
            left = fewer
    return left


def _seen(
    found: PlacedCondition, others: Sequence[PlacedCondition], scene: Scene
) -> list[frozenset[str]] | None:
    """Return what speaks where a rule does; None where it is seen to decide."""
    named = {other.compiled.name for other in others}
    seen: list[frozenset[str]] = []
    for names in spoken_with(found, matching(found, scene), scene):
        if named.isdisjoint(names):
            return None
        seen.append(names)
    return seen


def _is_settled(found: PlacedCondition, scene: Scene) -> bool:
    """Whether a rule never matches, or always does, which has rules of its own."""
    when = matching(found, scene)
    condition = found.compiled.condition or found.compiled.constraint
    if condition is None:
        return False
    return is_impossible(when, base=scene.base) or is_impossible(opposite(when), base=scene.base)


def _implies(
    found: PlacedCondition, others: Sequence[PlacedCondition], places: list[Scene]
) -> bool:
    return all(_implied(found, others, place) for place in places)


def _implied(found: PlacedCondition, others: Sequence[PlacedCondition], scene: Scene) -> bool:
    ours = matching(found, scene)
    against: list[Formula] = []
    for other in others:
        theirs = _seen_from(found, other, matching(other, scene))
        if not _share(ours, theirs):
            return False
        if theirs != _ALWAYS and _is_constant(other, theirs, scene):
            return False  # it always matches, which has a rule of its own
        against.append(opposite(theirs))
    return is_impossible(ours, *against, base=scene.base) and _implied_untold(found, others, scene)


def _is_constant(other: PlacedCondition, theirs: Formula, scene: Scene) -> bool:
    if theirs is not matching(other, scene):
        return is_impossible(opposite(theirs), base=scene.base)
    key = f"constant {other.compiled.name} {scene.stage} {scene.name} {scene.policy.policy.policy}"
    return scene.subject.once(key, lambda: (is_impossible(opposite(theirs), base=scene.base),))[0]


def _implied_untold(
    found: PlacedCondition, others: Sequence[PlacedCondition], scene: Scene
) -> bool:
    """Whether a rule decides nothing either where it cannot be told whether it matches."""
    condition = found.compiled.condition
    if condition is None:
        return True
    if found.compiled.effect == "redact" and can_be_untold(condition.tree, scene):
        # What cannot be told denies, and the other may only redact or ask.
        others = [other for other in others if other.compiled.effect == "deny"]
    against = [_seen_from(found, other, surely_silent(other, scene)) for other in others]
    return is_impossible(perhaps_matching(found, scene), *against, base=scene.base)


def _seen_from(found: PlacedCondition, other: PlacedCondition, theirs: Formula) -> Formula:
    """Put our check in the place of another's that breaks wherever ours does."""
    if not check_covers(other.placed.rule, found.placed.rule):
        return theirs
    return _replaced(theirs, broken(other).atom.key, broken(found))


def _replaced(found: Formula, key: tuple[object, ...], by: Clause) -> Formula:
    if isinstance(found, Group):
        return Group(found.all, tuple(_replaced(part, key, by) for part in found.parts))
    if found.atom.key != key:
        return found
    return by if found.holds else opposite(by)


def _share(ours: Formula, theirs: Formula) -> bool:
    """Whether every value that the other rule tests is tested here too."""
    return _values(theirs) <= _values(ours)


def _values(found: Formula) -> frozenset[tuple[Term, object]]:
    """Return what a formula tests."""
    return frozenset(
        (atom.term, atom.operand if atom.kind == "other" else "") for atom in atoms(found).values()
    )


def _tested(found: PlacedCondition) -> frozenset[tuple[Term, object]] | None:
    """Return what a rule tests; None where that takes more than its condition to say."""
    compiled = found.compiled
    if compiled.condition is None or compiled.check is not None or compiled.constraint is not None:
        return None
    return _values(formula(compiled.condition.tree))


def _may_share(
    ours: frozenset[tuple[Term, object]] | None, theirs: frozenset[tuple[Term, object]] | None
) -> bool:
    return ours is None or theirs is None or theirs <= ours


def _later(subject: Subject, found: PlacedCondition, other: PlacedCondition) -> bool:
    """Whether a rule stands behind its equal, so that only one of the two is reported."""
    every = list(subject.conditions)
    return every.index(found) > every.index(other)


def _found(subject: Subject, found: PlacedCondition, others: Sequence[PlacedCondition]) -> Found:
    first = others[0]
    effects = {other.compiled.effect for other in others}
    verb = _VERBS[first.compiled.effect] if len(effects) == 1 else "decide"
    if len(others) > 1:
        verb = _PLURAL.get(verb, verb)
    named = " or ".join(f'"{other.placed.rule.id}"' for other in others)
    places = unlike_scenes(subject, found)
    hint = f"the other is {first.compiled.location}; move a bound, or remove one of the two"
    if len(others) > 1:
        hint = "move a bound, or remove it"
    return Found(
        found.policy,
        (*found.placed.path, "id"),
        f'"{found.placed.rule.id}" decides nothing: {named} {verb} whatever it matches'
        + (RESTS if rests(places, partial(_implied, found, others)) else ""),
        hint,
        witness=_witness(found, others, places[0]) if places else None,
    )


def _witness(
    found: PlacedCondition, others: Sequence[PlacedCondition], scene: Scene
) -> Witness | None:
    name, effect = found.compiled.name, others[0].compiled.effect
    text = text_that_breaks(found.placed.rule)
    place: Term = ("result",) if found.stage == "tool_result" else ("text",)
    fixed = {place: text} if text is not None and found.stage != "tool_call" else None
    for other in others:
        shown = scene.show(
            matching(found, scene),
            shows=f'both speak, and "{other.compiled.name}" decides',
            speaks=(name, other.compiled.name),
            effect=effect if effect == "deny" else None,
            fixed=fixed,
        )
        if shown is not None:
            return shown
    return None


_ALWAYS: Final = Group(True, ())
_VERBS: Final = {"deny": "denies", "require_approval": "asks for", "redact": "redacts"}
_PLURAL: Final = {"denies": "deny", "asks for": "ask for", "redacts": "redact"}
RULE: Final = LintRule("PE106", "shadowed-rule", "warning", __doc__ or "", _find, proves=True)
