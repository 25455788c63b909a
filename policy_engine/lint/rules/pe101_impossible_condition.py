"""A condition that no request can meet.

What it does:
    Reports a `when` that can never be true: two parts contradict each other, or what is asked
    for is outside of what the declared schemas accept. With `--tools`, what the tool's own schema
    takes counts too, and the finding says so.

Why:
    The rule reads like a protection and is none. An approval above 1,000 is never asked for
    where the entry accepts at most 500, and nobody notices until the bound is raised.

Fails:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 500}}
        rules:
          - {id: large, when: args.amount > 1000, effect: deny}
    ---
    tools:
      pay:
        args: {to: {type: string, maxLength: 40}}
        rules:
          - {id: both, when: 'args.to == "a" && args.to == "b"', effect: deny}
    ---
    # tools.json: [{"name": "send", "inputSchema": {"type": "object",
    # tools.json: "properties": {"mode": {"enum": ["fast", "slow"]}}}}]
    tools:
      send:
        args: {mode: {type: string, maxLength: 10}}
        rules:
          - {id: turbo, when: args.mode == "turbo", effect: deny}

Passes:
    tools:
      pay:
        args: {amount: {type: number, minimum: 0, maximum: 500}}
        rules:
          - {id: large, when: args.amount > 100, effect: deny}
    ---
    # tools.json: [{"name": "send", "inputSchema": {"type": "object",
    # tools.json: "properties": {"mode": {"enum": ["fast", "slow"]}}}}]
    tools:
      send:
        args: {mode: {type: string, maxLength: 10}}
        rules:
          - {id: hurry, when: args.mode == "fast", effect: deny}

Fix:
    Correct the bound or the value, use `||` where one of two was meant, or remove the rule.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from policy_engine.cel.nodes import And, Node
from policy_engine.lint.finding import Witness
from policy_engine.lint.places import piece
from policy_engine.lint.proof.alike import unlike_scenes
from policy_engine.lint.proof.formula import Formula, formula
from policy_engine.lint.proof.resting import RESTS, rests
from policy_engine.lint.proof.scene import Scene
from policy_engine.lint.proof.solve import is_impossible
from policy_engine.lint.proof.untold import perhaps
from policy_engine.lint.rule import Found, LintRule
from policy_engine.lint.subject import PlacedCondition, Subject

__all__ = ["RULE"]


def _find(subject: Subject) -> Iterator[Found]:
    for found in subject.conditions:
        condition = found.compiled.condition
        if condition is None:
            continue
        wanted = formula(condition.tree)
        places = unlike_scenes(subject, found)
        if places and all(is_impossible(wanted, base=place.base) for place in places):
            culprit, why = _culprit(found, condition.tree, places)
            resting = rests(places, partial(_is_proved, wanted))
            yield Found(
                found.policy,
                found.path,
                f"this condition can never be true: {why}, "
                f'so "{found.placed.rule.id}" {_said(condition.tree, places)}'
                + (RESTS if resting else ""),
                "correct the value, use `||` where one of two was meant, or remove the rule",
                part=(culprit.start, culprit.end),
                witness=_witness(found, condition.tree, places[0]),
                severity="warning" if resting else None,
            )


def _is_proved(wanted: Formula, place: Scene) -> bool:
    return is_impossible(wanted, base=place.base)


def _said(tree: Node, places: list[Scene]) -> str:
    """Say when a rule speaks: what cannot be told speaks too."""
    if all(is_impossible(perhaps(tree, place), base=place.base) for place in places):
        return "never speaks"
    return "speaks only where it cannot be told"


def _culprit(found: PlacedCondition, tree: Node, places: list[Scene]) -> tuple[Node, str]:
    terms = tree.terms if isinstance(tree, And) else (tree,)
    formulas = [formula(term) for term in terms]
    for term, wanted in zip(terms, formulas, strict=True):
        if all(is_impossible(wanted, base=place.base) for place in places):
            return term, f'no accepted value meets "{piece(found, term)}"'
    for second in range(len(terms)):
        for first in range(second):
            pair = formulas[first], formulas[second]
            if all(is_impossible(*pair, base=place.base) for place in places):
                a, b = piece(found, terms[first]), piece(found, terms[second])
                return terms[second], f'"{b}" contradicts "{a}"'
    return tree, "its parts contradict each other"


def _witness(found: PlacedCondition, tree: Node, scene: Scene) -> Witness | None:
    """Show a request that meets as much of the condition as one can."""
    terms = tree.terms if isinstance(tree, And) else ()
    tries: list[list[Formula]] = [
        [formula(term) for term in terms if term is not left_out] for left_out in reversed(terms)
    ]
    for wanted in [*tries, []]:
        shown = scene.show(
            *wanted,
            shows=f'"{found.compiled.name}" does not speak, near as the request is',
            silent=(found.compiled.name,),
        )
        if shown is not None:
            return shown
    return None


RULE: Final = LintRule("PE101", "impossible-condition", "error", __doc__ or "", _find, proves=True)
