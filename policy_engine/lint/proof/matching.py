"""When a rule matches, as a formula: its condition, its constraint and its check together."""

from collections.abc import Callable

from policy_engine.cel.nodes import Node
from policy_engine.lint.proof.demand import demanded
from policy_engine.lint.proof.formula import Atom, Clause, Formula, Group, formula, opposite
from policy_engine.lint.proof.scene import Scene
from policy_engine.lint.proof.untold import perhaps, surely
from policy_engine.lint.subject import PlacedCondition

__all__ = [
    "broken",
    "fitting",
    "matching",
    "perhaps_matching",
    "surely_silent",
]


def matching(found: PlacedCondition, scene: Scene) -> Formula:
    """Return when a rule matches the requests of a scene."""
    parts: list[Formula] = []
    compiled = found.compiled
    if compiled.condition is not None:
        parts.append(formula(compiled.condition.tree))
    if compiled.constraint is not None:
        parts.append(opposite(fitting(found, scene)))
    if found.placed.rule.check is not None:
        parts.append(broken(found))
    return parts[0] if len(parts) == 1 else Group(True, tuple(parts))


def perhaps_matching(found: PlacedCondition, scene: Scene) -> Formula:
    """Return when a rule may match, or it cannot be told whether it does, and it speaks."""
    return _joined(found, scene, lambda tree: perhaps(tree, scene))


def surely_silent(found: PlacedCondition, scene: Scene) -> Formula:
    """Return when it is told that a rule does not match."""
    return opposite(_joined(found, scene, lambda tree: opposite(surely(tree, scene, holds=False))))


def _joined(found: PlacedCondition, scene: Scene, when: Callable[[Node], Formula]) -> Formula:
    condition, known = found.compiled.condition, matching(found, scene)
    if condition is None:
        return known
    rest = known.parts[1:] if isinstance(known, Group) and _has_more(found) else ()
    return Group(True, (when(condition.tree), *rest))


def _has_more(found: PlacedCondition) -> bool:
    return found.compiled.constraint is not None or found.placed.rule.check is not None


def broken(found: PlacedCondition) -> Clause:
    """Return when the check of a rule breaks: a part that is not understood, alike in equals."""
    rule = found.placed.rule
    said = rule.check.model_dump_json(exclude_none=True) if rule.check is not None else ""
    reads = getattr(rule, "in_", None)
    text = f"check {said} in {sorted(reads) if reads else 'all'} unread {rule.unread}"
    return Clause(Atom((), "other", text), True, Node(0, 0))


def fitting(found: PlacedCondition, scene: Scene, argument: str | None = None) -> Formula:
    """Return when the arguments, or one of them, fit the schemas of a rule's own `args`."""
    constraint = found.compiled.constraint
    schemas = {} if constraint is None else dict(constraint.schemas)
    if argument is not None:
        schemas = {argument: schemas[argument]}
    whole = {"properties": schemas, "additionalProperties": True}
    return demanded(("args",), whole, scene.schemas)
